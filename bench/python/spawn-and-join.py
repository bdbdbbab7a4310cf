"""Starting tasks that end at once, and waiting for all of them."""

import asyncio
from time import perf_counter

from measure import measure


async def trivial():
    return 1


async def main(tasks):
    start = perf_counter()
    results = await asyncio.gather(*[asyncio.create_task(trivial()) for _ in range(tasks)])
    return (perf_counter() - start) * 1e9 / len(results)


measure(main)
