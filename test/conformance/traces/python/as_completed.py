"""as_completed: results in the order in which they come."""

import asyncio

from trace_loop import log


async def J01_as_completed_plain():

    async def child(n):
        await asyncio.sleep(n)
        return n

    for next_done in asyncio.as_completed([child(2), child(1), child(3)]):
        log("r", await next_done, asyncio.get_running_loop().time())


async def J02_as_completed_async():

    async def child(n):
        await asyncio.sleep(n)
        return n

    tasks = [asyncio.create_task(child(2)), asyncio.create_task(child(1))]
    async for done in asyncio.as_completed(tasks):
        log("same obj", done in tasks, "r", done.result(), asyncio.get_running_loop().time())


async def J03_as_completed_timeout():

    async def child(n):
        await asyncio.sleep(n)
        return n

    try:
        for next_done in asyncio.as_completed([child(1), child(5)], timeout=2):
            log("r", await next_done, asyncio.get_running_loop().time())
    except TimeoutError:
        log("TimeoutError", asyncio.get_running_loop().time())


async def J04_as_completed_ticks():

    async def child(n):
        log("c", n)
        return n

    for next_done in asyncio.as_completed([child(1)]):
        log("r", await next_done)
