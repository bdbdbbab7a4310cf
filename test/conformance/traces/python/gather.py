"""gather: results, the first exception, and cancellation in both directions."""

import asyncio

from trace_loop import log


async def B01_gather_empty():
    log("before")
    result = await asyncio.gather()
    log("after", result)


async def B02_gather_two_immediate():

    async def child(n):
        log("child", n)
        return n

    log("before")
    result = await asyncio.gather(child(1), child(2))
    log("after", result)


async def B03_gather_done_futures():
    a = asyncio.get_running_loop().create_future()
    a.set_result(1)
    b = asyncio.get_running_loop().create_future()
    b.set_result(2)
    log("before")
    result = await asyncio.gather(a, b)
    log("after", result)


async def B04_gather_first_exception():

    async def child(n):
        log("child", n)
        if n == 1:
            raise ValueError(n)
        await asyncio.sleep(0)
        log("child", n, "resumed")
        await asyncio.sleep(0)
        log("child", n, "end")

    log("before")
    try:
        await asyncio.gather(child(1), child(2))
    except ValueError as error:
        log("caught", error)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    log("end")


async def B05_gather_return_exceptions():

    async def child(n):
        if n == 1:
            raise ValueError(n)
        return n

    result = await asyncio.gather(child(1), child(2), return_exceptions=True)
    log("after", result)


async def B06_gather_cancel_outer():

    async def child(n):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("child", n, "cancelled")
            raise

    async def parent():
        try:
            await asyncio.gather(child(1), child(2))
        except asyncio.CancelledError:
            log("parent cancelled")
            raise

    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    log("cancel")
    task.cancel("msg")
    try:
        await task
    except asyncio.CancelledError as error:
        log("main caught", error.args)


async def B07_gather_child_cancelled():

    async def child(n):
        await asyncio.sleep(10)

    tasks = [asyncio.create_task(child(i)) for i in range(2)]
    gathering = asyncio.gather(*tasks)
    await asyncio.sleep(0)
    tasks[0].cancel("kid")
    log("cancelled child")
    try:
        await gathering
    except asyncio.CancelledError as error:
        log("caught", error.args, "g.cancelled", gathering.cancelled(), "t1 done", tasks[1].done())
    tasks[1].cancel()


async def B08_gather_return_exceptions_cancel():

    async def child(n):
        await asyncio.sleep(10)

    async def parent():
        try:
            result = await asyncio.gather(child(1), child(2), return_exceptions=True)
            log("r", result)
        except asyncio.CancelledError:
            log("parent cancelled")
            raise

    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError as error:
        log("main caught", error.args)


async def B09_gather_duplicates():

    async def child():
        return object()

    same = child()
    result = await asyncio.gather(same, same)
    log(result[0] is result[1])
