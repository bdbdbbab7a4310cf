"""shield: the outer wait is cancelled, the inner task is not."""

import asyncio

from trace_loop import log


async def F01_shield_normal():

    async def child():
        log("child")
        return 5

    log("before")
    result = await asyncio.shield(child())
    log("after", result)


async def F02_shield_cancel_outer():

    async def child():
        await asyncio.sleep(5)
        log("child finished")
        return 5

    async def parent():
        try:
            await asyncio.shield(inner)
        except asyncio.CancelledError:
            log("m cancelled; inner cancelled?", inner.cancelled())
            raise

    inner = asyncio.create_task(child())
    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    log("cancel")
    try:
        await task
    except asyncio.CancelledError:
        log("main")
    log(await inner)


async def F03_shield_inner_cancelled():

    async def child():
        await asyncio.sleep(5)

    inner = asyncio.create_task(child())
    await asyncio.sleep(0)

    async def parent():
        try:
            await asyncio.shield(inner)
        except asyncio.CancelledError:
            log("m got CancelledError", asyncio.current_task().cancelling())

    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    inner.cancel()
    log("inner.cancel")
    await task
    log("end")


async def F04_shield_done_inner_returns_inner():
    future = asyncio.get_running_loop().create_future()
    future.set_result(3)
    log(asyncio.shield(future) is future)


async def F05_shield_inner_fails_after_outer_cancelled():

    async def child():
        await asyncio.sleep(1)
        raise ValueError("late")

    inner = asyncio.create_task(child())

    async def parent():
        await asyncio.shield(inner)

    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log("main")
    await asyncio.sleep(2)
    log("end", asyncio.get_running_loop().time())
    inner.exception()
