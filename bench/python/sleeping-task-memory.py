"""What a task that sleeps occupies: the growth of what Python allocated, as tracemalloc counts it."""

import asyncio
import gc
import tracemalloc

from measure import measure

HOUR_SECONDS = 3600


async def sleeper():
    await asyncio.sleep(HOUR_SECONDS)


async def main(tasks):
    tracemalloc.start()
    held = set()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(tasks):
        # The loop holds its tasks weakly.
        held.add(asyncio.create_task(sleeper()))
    await asyncio.sleep(0.001)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / tasks


measure(main)
