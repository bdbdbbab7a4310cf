"""Waiting for many at once, each of which gives way once."""

import asyncio
from time import perf_counter

from measure import measure


async def worker():
    await asyncio.sleep(0)
    return 1


async def main(tasks):
    start = perf_counter()
    results = await asyncio.gather(*[worker() for _ in range(tasks)])
    return (perf_counter() - start) * 1e9 / len(results)


measure(main)
