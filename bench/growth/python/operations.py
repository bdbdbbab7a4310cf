"""The operations as CPython does them: `operations.py NAME SIZE` runs one and prints the milliseconds of the processor."""

import asyncio
import contextvars
import gc
import random
import sys
from time import process_time

WARM_UP_SIZE = 1000
HOUR_SECONDS = 3600


async def cancel_waiters(n, wait_in_line, order=list, use_afterwards=None):
    """Makes n tasks that wait, cancels each, and uses what they waited for."""
    tasks = [asyncio.create_task(wait_in_line()) for _ in range(n)]
    await let_them_start()
    cancel_order = order(tasks)
    start = process_time()
    for task in cancel_order:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if use_afterwards is not None:
        await use_afterwards()
    milliseconds = since(start)
    must_be_cancelled(tasks)
    return milliseconds


async def lock(n):
    held = asyncio.Lock()
    await held.acquire()

    async def use_afterwards():
        held.release()
        for _ in range(n):
            await held.acquire()
            held.release()

    return await cancel_waiters(n, held.acquire, use_afterwards=use_afterwards)


async def condition(n):
    shared = asyncio.Condition()

    async def wait_in_line():
        async with shared:
            await shared.wait()

    return await cancel_waiters(n, wait_in_line)


async def semaphore(n):
    return await cancel_waiters(n, asyncio.Semaphore(0).acquire)


async def event(n):
    return await cancel_waiters(n, asyncio.Event().wait, shuffled)


async def barrier(n):
    return await cancel_waiters(n, asyncio.Barrier(n + 1).wait)


async def queue_get(n):
    empty = asyncio.Queue()

    async def use_afterwards():
        for i in range(n):
            empty.put_nowait(i)

    return await cancel_waiters(n, empty.get, use_afterwards=use_afterwards)


async def queue_put(n):
    full = asyncio.Queue(1)
    full.put_nowait(0)
    return await cancel_waiters(n, lambda: full.put(1), shuffled)


async def shield(n):
    return await cancel_waiters(n, shield_same(), shuffled)


async def shield_in_line(n):
    return await cancel_waiters(n, shield_same())


def shield_same():
    same = asyncio.get_running_loop().create_future()

    async def wait_in_line():
        await asyncio.shield(same)

    return wait_in_line


async def wait(n):
    same = asyncio.get_running_loop().create_future()
    return await cancel_waiters(n, lambda: asyncio.wait([same]), shuffled)


async def remove_callback(n):
    future = asyncio.get_running_loop().create_future()
    callbacks = [(lambda _, i=i: i) for i in range(n)]
    for callback in callbacks:
        future.add_done_callback(callback)
    remove_order = shuffled(callbacks)
    start = process_time()
    for callback in remove_order:
        future.remove_done_callback(callback)
    return since(start)


async def chain_cancel(n):
    _, tasks = await make_chain(n)
    start = process_time()
    tasks[-1].cancel()
    await asyncio.wait([tasks[-1]])
    milliseconds = since(start)
    must_be_cancelled(tasks)
    return milliseconds


async def chain_end(n):
    innermost, tasks = await make_chain(n)
    start = process_time()
    innermost.set_result("the value")
    assert await tasks[-1] == "the value"
    return since(start)


async def chain_close(n):
    # The loop holds its tasks weakly; the global does not.
    global closing_chain, closing_since
    closing_chain = await make_chain(n)
    closing_since = process_time()


async def chain_text(n):
    _, tasks = await make_chain(n)
    start = process_time()
    repr(tasks[-1])
    return since(start)


async def make_chain(n):
    """n tasks, each of which awaits the one before; the first awaits the future."""
    innermost = asyncio.get_running_loop().create_future()

    async def await_next(awaited):
        return await awaited

    tasks = []
    awaited = innermost
    for _ in range(n):
        awaited = asyncio.create_task(await_next(awaited))
        tasks.append(awaited)
    await let_them_start()
    return innermost, tasks


async def context(n):
    variables = [contextvars.ContextVar("variable") for _ in range(n)]
    start = process_time()
    for variable in variables:
        variable.set("the value")
        copy = contextvars.copy_context()  # noqa: F841 - what it shares must not be changed by the next one
    return since(start)


async def nested_deadlines(n):
    async def nest(depth):
        if depth == 0:
            return await asyncio.sleep(0, "the value")
        async with asyncio.timeout(HOUR_SECONDS):
            return await nest(depth - 1)

    start = process_time()
    assert await nest(n) == "the value"
    return since(start)


async def queue_fill(n):
    queue = asyncio.Queue()
    start = process_time()
    for i in range(n):
        await queue.put(i)
    for i in range(n):
        assert await queue.get() == i
    return since(start)


async def let_them_start():
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def must_be_cancelled(tasks):
    left = sum(not task.cancelled() for task in tasks)
    if left > 0:
        raise RuntimeError(f"{left} of {len(tasks)} tasks have not been cancelled")


def shuffled(items):
    result = list(items)
    random.Random(1).shuffle(result)
    return result


def since(start):
    return (process_time() - start) * 1000


def run(program, n):
    milliseconds = asyncio.run(program(n))
    return since(closing_since) if program is chain_close else milliseconds


def main():
    name, size = sys.argv[1:]
    program = globals()[name.removeprefix("growth-").replace("-", "_")]
    n = int(size)
    # The chains are recursive in CPython: as deep as its own stack lets them go.
    sys.setrecursionlimit(1_000_000)
    run(program, min(n, WARM_UP_SIZE))
    gc.collect()
    print(run(program, n))


main()
