"""Resuming a task whose code waits `depth` calls deep."""

import asyncio
from time import perf_counter

from measure import measure


async def nested(level, resumes):
    if level > 0:
        return await nested(level - 1, resumes)
    start = perf_counter()
    for _ in range(resumes):
        await asyncio.sleep(0)
    return (perf_counter() - start) * 1e9 / resumes


async def main(depth, resumes):
    return await nested(depth, resumes)


measure(main)
