"""wait_for: in the same task, with a timeout."""

import asyncio

from trace_loop import log


async def C01_wait_for_none():

    async def child():
        log("child")
        return 1

    log("before")
    await asyncio.wait_for(child(), None)
    log("after")


async def C02_wait_for_immediate():

    async def child():
        log("child", asyncio.current_task().get_name() == name)
        return 1

    name = asyncio.current_task().get_name()
    log("before")
    await asyncio.wait_for(child(), 1)
    log("after")


async def C03_wait_for_timeout():

    async def child():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("child cancelled at", asyncio.get_running_loop().time())
            raise

    log("before")
    try:
        await asyncio.wait_for(child(), 1)
    except TimeoutError as error:
        log(
            "TimeoutError at",
            asyncio.get_running_loop().time(),
            "cause",
            repr(error.__cause__),
            "cancelling",
            asyncio.current_task().cancelling(),
        )


async def C04_wait_for_zero_not_started():

    async def child():
        log("child started")

    log("before")
    try:
        await asyncio.wait_for(child(), 0)
    except TimeoutError:
        log("TimeoutError")


async def C05_wait_for_zero_done_future():
    future = asyncio.get_running_loop().create_future()
    future.set_result(7)
    log("before")
    log(await asyncio.wait_for(future, 0))
    log("after")


async def C06_wait_for_future_timeout():
    future = asyncio.get_running_loop().create_future()
    try:
        await asyncio.wait_for(future, 1)
    except TimeoutError:
        log("timeout; f.cancelled()", future.cancelled())


async def C07_wait_for_task_suppresses_cancel_returns_value():

    async def child():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "swallowed"

    try:
        log("r", await asyncio.wait_for(child(), 1))
    except TimeoutError:
        log("timeout")


async def C08_wait_for_result_and_timeout_same_tick():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(1, future.set_result, "ok")  # scheduled first, same deadline
    try:
        log("r", await asyncio.wait_for(future, 1), "cancelling", asyncio.current_task().cancelling())
    except TimeoutError:
        log("timeout")


async def C09_wait_for_outer_cancel():

    async def parent():
        future = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(future, 10)
        except asyncio.CancelledError:
            log("cancelled, f.cancelled", future.cancelled())
            raise

    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    task.cancel()
    log("cancel")
    try:
        await task
    except asyncio.CancelledError:
        log("main caught")
