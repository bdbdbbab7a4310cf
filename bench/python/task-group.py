"""A group of many tasks, each of which gives way once; the group ends when they have."""

import asyncio
from time import perf_counter

from measure import measure


async def worker():
    await asyncio.sleep(0)


async def main(tasks):
    start = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(worker())
    return (perf_counter() - start) * 1e9 / tasks


measure(main)
