"""A producer and a consumer, and a queue between them. (Its name leaves the module `queue` alone.)"""

import asyncio
from time import perf_counter

from measure import measure


async def produce(between, items):
    for i in range(items):
        await between.put(i)


async def consume(between, items):
    for _ in range(items):
        await between.get()


async def main(items, capacity):
    between = asyncio.Queue(capacity)
    start = perf_counter()
    await asyncio.gather(
        asyncio.create_task(produce(between, items)), asyncio.create_task(consume(between, items))
    )
    return (perf_counter() - start) * 1e9 / items


measure(main)
