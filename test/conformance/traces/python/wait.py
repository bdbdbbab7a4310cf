"""wait: each condition of its end, and its timeout."""

import asyncio

from trace_loop import log


async def I01_wait_first_completed():

    async def child(n):
        for _ in range(n):
            await asyncio.sleep(0)
        log("c", n, "done")

    tasks = [asyncio.create_task(child(i)) for i in (0, 1, 5)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log("done", len(done), "pending", len(pending))
    for task in pending:
        task.cancel()


async def I02_wait_all():

    async def child(n):
        log("c", n)

    done, pending = await asyncio.wait([asyncio.create_task(child(0)), asyncio.create_task(child(1))])
    log("done", len(done), "pending", len(pending))


async def I03_wait_all_already_done():
    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    log("before")
    done, pending = await asyncio.wait([future])
    log("after", len(done))


async def I04_wait_first_exception():

    async def child(n):
        await asyncio.sleep(n)
        if n == 1:
            raise ValueError

    tasks = [asyncio.create_task(child(i)) for i in (1, 2, 3)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    log("done", len(done), "pending", len(pending), asyncio.get_running_loop().time())
    for task in done:
        task.exception()
    for task in pending:
        task.cancel()


async def I05_wait_timeout():

    async def child():
        await asyncio.sleep(10)

    task = asyncio.create_task(child())
    done, pending = await asyncio.wait([task], timeout=1)
    log("done", len(done), "pending", len(pending), asyncio.get_running_loop().time(), task.cancelled())
    task.cancel()


async def I06_wait_cancelled_leaves_children():

    async def child():
        await asyncio.sleep(3)
        log("child finished")

    task = asyncio.create_task(child())

    async def parent():
        await asyncio.wait([task])

    waiting = asyncio.create_task(parent())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    try:
        await waiting
    except asyncio.CancelledError:
        log("wait cancelled; child cancelled?", task.cancelled())
    await task


async def I07_wait_timeout_zero():

    async def child():
        await asyncio.sleep(10)

    task = asyncio.create_task(child())
    log("b")
    done, pending = await asyncio.wait([task], timeout=0)
    log("done", len(done), "pending", len(pending))
    task.cancel()
