"""Deadlines that do not come: tasks that set one around a wait of a turn, over and over."""

import asyncio
from time import perf_counter

from measure import measure

HOUR_SECONDS = 3600


async def worker(turns):
    for _ in range(turns):
        async with asyncio.timeout(HOUR_SECONDS):
            await asyncio.sleep(0)


async def main(tasks, turns):
    start = perf_counter()
    await asyncio.gather(*[asyncio.create_task(worker(turns)) for _ in range(tasks)])
    return (perf_counter() - start) * 1e9 / (tasks * turns)


measure(main)
