"""Cancelling many tasks that sleep, and waiting until they have ended."""

import asyncio
from time import perf_counter

from measure import measure

HOUR_SECONDS = 3600


async def sleeper():
    await asyncio.sleep(HOUR_SECONDS)


async def main(tasks):
    sleepers = [asyncio.create_task(sleeper()) for _ in range(tasks)]
    await asyncio.sleep(0.001)
    start = perf_counter()
    for task in sleepers:
        task.cancel()
    await asyncio.gather(*sleepers, return_exceptions=True)
    return (perf_counter() - start) * 1e9 / tasks


measure(main)
