"""Switching between tasks: many that do nothing but give way."""

import asyncio
from time import perf_counter

from measure import measure


async def worker(turns):
    for _ in range(turns):
        await asyncio.sleep(0)


async def main(tasks, turns):
    start = perf_counter()
    await asyncio.gather(*[asyncio.create_task(worker(turns)) for _ in range(tasks)])
    return (perf_counter() - start) * 1e9 / (tasks * turns)


measure(main)
