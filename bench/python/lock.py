"""Tasks that take a lock in turn and give way while they hold it."""

import asyncio
from time import perf_counter

from measure import measure


async def worker(lock, turns):
    for _ in range(turns):
        async with lock:
            await asyncio.sleep(0)


async def main(tasks, turns):
    lock = asyncio.Lock()
    start = perf_counter()
    await asyncio.gather(*[asyncio.create_task(worker(lock, turns)) for _ in range(tasks)])
    return (perf_counter() - start) * 1e9 / (tasks * turns)


measure(main)
