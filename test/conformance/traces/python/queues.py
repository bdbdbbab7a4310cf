"""Queue: getters and putters in line, join, and shutdown."""

import asyncio

from trace_loop import log


async def H01_queue_get_put():
    queue = asyncio.Queue()

    async def consumer():
        item = await queue.get()
        log("got", item)

    task = asyncio.create_task(consumer())
    await asyncio.sleep(0)
    log("put")
    await queue.put(1)
    log("put returned")
    await task


async def H02_queue_bounded():
    queue = asyncio.Queue(1)

    async def producer():
        for i in range(3):
            await queue.put(i)
            log("put", i)

    async def consumer():
        for i in range(3):
            log("got", await queue.get())

    await asyncio.gather(producer(), consumer())
    log("end")


async def H03_queue_two_getters_fifo():
    queue = asyncio.Queue()

    async def consumer(n):
        log(n, "got", await queue.get())

    tasks = [asyncio.create_task(consumer(i)) for i in range(2)]
    await asyncio.sleep(0)
    queue.put_nowait("a")
    queue.put_nowait("b")
    log("put both")
    await asyncio.gather(*tasks)


async def H04_queue_join():
    queue = asyncio.Queue()
    queue.put_nowait(1)

    async def joiner():
        await queue.join()
        log("joined")

    task = asyncio.create_task(joiner())
    await asyncio.sleep(0)
    queue.get_nowait()
    queue.task_done()
    log("task_done")
    await task


async def H05_queue_shutdown():
    queue = asyncio.Queue(1)

    async def getter(n):
        try:
            log(n, "got", await queue.get())
        except asyncio.QueueShutDown as error:
            log(n, "QueueShutDown")

    tasks = [asyncio.create_task(getter(i)) for i in range(2)]
    await asyncio.sleep(0)
    queue.shutdown()
    log("shutdown")
    await asyncio.gather(*tasks)
    try:
        queue.put_nowait(1)
    except asyncio.QueueShutDown:
        log("put -> QueueShutDown")


async def H06_queue_shutdown_with_items():
    queue = asyncio.Queue()
    queue.put_nowait(1)
    queue.put_nowait(2)
    queue.shutdown()
    log(queue.get_nowait(), queue.get_nowait())
    try:
        queue.get_nowait()
    except asyncio.QueueShutDown:
        log("empty -> QueueShutDown")
    second = asyncio.Queue()
    second.put_nowait(1)
    second.shutdown(immediate=True)
    log("size", second.qsize())
    await second.join()
    log("join ok")


async def H07_queue_putter_shutdown():
    queue = asyncio.Queue(1)
    queue.put_nowait(0)

    async def putter():
        try:
            await queue.put(1)
        except asyncio.QueueShutDown:
            log("putter QueueShutDown")

    task = asyncio.create_task(putter())
    await asyncio.sleep(0)
    queue.shutdown()
    log("shutdown")
    await task
    log(queue.get_nowait())


async def H08_queue_get_cancel_after_wakeup():
    queue = asyncio.Queue()

    async def getter(n):
        try:
            log(n, "got", await queue.get())
        except asyncio.CancelledError:
            log(n, "cancelled")
            raise

    a = asyncio.create_task(getter("a"))
    b = asyncio.create_task(getter("b"))
    await asyncio.sleep(0)
    queue.put_nowait(1)
    a.cancel()
    log("put+cancel")
    await b
    log("end")


async def H09_queue_steal():
    queue = asyncio.Queue()

    async def getter(n):
        log(n, "got", await queue.get())

    a = asyncio.create_task(getter("a"))
    await asyncio.sleep(0)
    queue.put_nowait(1)
    log("main steals", queue.get_nowait())
    await asyncio.sleep(0)
    log("a back waiting", len(queue._getters))
    queue.put_nowait(2)
    await a
