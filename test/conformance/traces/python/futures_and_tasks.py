"""call_soon, futures and tasks: in which turn each goes on."""

import asyncio

from trace_loop import log


async def A01_call_soon_fifo_and_nested():
    loop = asyncio.get_running_loop()

    def callback(n):
        log("cb", n)

    def outer():
        log("outer")
        loop.call_soon(callback, "nested")

    loop.call_soon(callback, 1)
    loop.call_soon(outer)
    loop.call_soon(callback, 2)
    await asyncio.sleep(0)
    log("main after sleep0")
    await asyncio.sleep(0)
    log("main after sleep0 x2")


async def A02_sleep0():
    log("before")
    await asyncio.sleep(0)
    log("after1")
    await asyncio.sleep(0)
    log("after2")


async def A03_await_done_future():
    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    log("before")
    await future
    log("after")


async def A04_await_pending_future_set_by_callback():
    future = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: (log("set"), future.set_result(1)))
    loop.call_soon(lambda: log("other"))
    log("before")
    await future
    log("after")


async def A05_create_task_then_await():

    async def child():
        log("child")
        return 1

    task = asyncio.create_task(child())
    log("created")
    await task
    log("after")


async def A06_create_task_child_sleep0():

    async def child():
        log("child1")
        await asyncio.sleep(0)
        log("child2")

    task = asyncio.create_task(child())
    log("created")
    await task
    log("after")


async def A07_await_coroutine_directly():

    async def child():
        log("child")

    log("before")
    await child()
    log("after")


async def A08_await_finished_task():

    async def child():
        log("child")

    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    log("done?", task.done())
    await task
    log("after")


async def A09_add_done_callback_order():
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda future: log("cb1"))

    async def waiter():
        await future
        log("waiter")

    task = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    future.add_done_callback(lambda future: log("cb2"))
    future.set_result(None)
    log("set")
    future.add_done_callback(lambda future: log("cb3-late"))
    await asyncio.sleep(0)
    log("main")
    await task
