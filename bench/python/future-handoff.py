"""Two tasks that hand control to each other through futures."""

import asyncio
from time import perf_counter

from measure import measure

waiting = None


async def player(loop, turns):
    global waiting
    for _ in range(turns):
        other = waiting
        waiting = loop.create_future()
        if other is not None:
            other.set_result(None)
        await waiting
    # The other waits for its last one.
    if not waiting.done():
        waiting.set_result(None)


async def main(handoffs):
    global waiting
    waiting = None
    loop = asyncio.get_running_loop()
    start = perf_counter()
    players = [asyncio.create_task(player(loop, handoffs // 2)) for _ in range(2)]
    await asyncio.gather(*players)
    return (perf_counter() - start) * 1e9 / handoffs


measure(main)
