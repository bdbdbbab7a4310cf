"""Tasks that share a few slots, take one in turn and give way while they have it."""

import asyncio
from time import perf_counter

from measure import measure


async def worker(shared, turns):
    for _ in range(turns):
        async with shared:
            await asyncio.sleep(0)


async def main(tasks, slots, turns):
    shared = asyncio.Semaphore(slots)
    start = perf_counter()
    await asyncio.gather(*[asyncio.create_task(worker(shared, turns)) for _ in range(tasks)])
    return (perf_counter() - start) * 1e9 / (tasks * turns)


measure(main)
