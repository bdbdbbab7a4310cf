"""Lock, Semaphore, Event, Condition and Barrier: who is woken, and when."""

import asyncio

from trace_loop import log


async def G01_lock_handoff():
    lock = asyncio.Lock()

    async def child(n):
        log(n, "wait")
        async with lock:
            log(n, "got")
            await asyncio.sleep(0)
            log(n, "rel")

    await asyncio.gather(*[child(i) for i in range(3)])
    log("end")


async def G02_lock_uncontended():
    lock = asyncio.Lock()
    log("a")
    await lock.acquire()
    log("b")
    lock.release()
    log(repr(lock).split("[")[1])


async def G03_lock_barging():
    lock = asyncio.Lock()
    await lock.acquire()

    async def waiter(n):
        await lock.acquire()
        log(n, "got")
        lock.release()

    task = asyncio.create_task(waiter("waiter"))
    await asyncio.sleep(0)
    lock.release()
    log("released; locked?", lock.locked())
    await lock.acquire()
    log("main re-acquired")
    lock.release()
    await task


async def G04_lock_cancel_first_waiter_after_wakeup():
    lock = asyncio.Lock()
    await lock.acquire()

    async def waiter(n):
        try:
            await lock.acquire()
        except asyncio.CancelledError:
            log(n, "cancelled")
            raise
        log(n, "got")
        lock.release()

    a = asyncio.create_task(waiter("a"))
    b = asyncio.create_task(waiter("b"))
    await asyncio.sleep(0)
    lock.release()
    a.cancel()
    log("rel+cancel")
    await b
    log("end")


async def G05_semaphore_order():
    semaphore = asyncio.Semaphore(2)

    async def child(n):
        async with semaphore:
            log(n, "got")
            await asyncio.sleep(0)
            log(n, "rel")

    await asyncio.gather(*[child(i) for i in range(5)])
    log("end")


async def G06_semaphore_no_barging():
    semaphore = asyncio.Semaphore(1)
    await semaphore.acquire()

    async def waiter(n):
        await semaphore.acquire()
        log(n, "got")
        semaphore.release()

    task = asyncio.create_task(waiter("waiter"))
    await asyncio.sleep(0)
    semaphore.release()
    log("released; locked?", semaphore.locked(), "value", semaphore._value)
    await semaphore.acquire()
    log("main")
    semaphore.release()
    await task


async def G07_event():
    event = asyncio.Event()

    async def waiter(n):
        await event.wait()
        log(n, "woke", event.is_set())

    tasks = [asyncio.create_task(waiter(i)) for i in range(3)]
    await asyncio.sleep(0)
    event.set()
    event.clear()
    log("set+clear")
    await asyncio.gather(*tasks)
    log("end")


async def G08_condition_notify():
    condition = asyncio.Condition()

    async def waiter(n):
        async with condition:
            log(n, "waiting")
            await condition.wait()
            log(n, "woke")

    tasks = [asyncio.create_task(waiter(i)) for i in range(3)]
    await asyncio.sleep(0)
    async with condition:
        condition.notify(2)
        log("notified 2")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    log("later")
    async with condition:
        condition.notify_all()
        log("notify_all")
    await asyncio.gather(*tasks)
    log("end")


async def G09_condition_cancel_waiter():
    condition = asyncio.Condition()

    async def waiter():
        async with condition:
            try:
                await condition.wait()
            except asyncio.CancelledError:
                log("cancelled, locked", condition.locked())
                raise

    task = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    task.cancel()
    log("cancel")
    try:
        await task
    except asyncio.CancelledError:
        log("main")


async def G10_barrier():
    barrier = asyncio.Barrier(3)

    async def waiter(n):
        index = await barrier.wait()
        log(n, "passed index", index)

    await asyncio.gather(*[waiter(index) for index in range(3)])
    log("end")


async def G11_barrier_abort():
    barrier = asyncio.Barrier(3)

    async def waiter(n):
        try:
            await barrier.wait()
        except asyncio.BrokenBarrierError as error:
            log(n, "Broken", error)

    tasks = [asyncio.create_task(waiter(i)) for i in range(2)]
    await asyncio.sleep(0)
    await barrier.abort()
    log("aborted", barrier.broken)
    await asyncio.gather(*tasks)


async def G12_bounded_semaphore():
    semaphore = asyncio.BoundedSemaphore(1)
    try:
        semaphore.release()
    except ValueError as error:
        log(error)
