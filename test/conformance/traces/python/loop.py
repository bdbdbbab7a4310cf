"""The loop itself: timers, stopping, contexts, eager tasks, and misuse."""

import asyncio
import contextvars
import gc
import types
import warnings

from trace_loop import log
from virtual_loop import VirtualLoop


def L01_equal_deadline_order(loop):
    for n in range(2, 11):
        out = []
        when = loop.time() + 1
        for i in range(n):
            loop.call_at(when, out.append, i)
        loop.call_at(when + 0.5, loop.stop)
        loop.run_forever()
        log(n, out)


def L02_call_later0_vs_call_soon(loop):
    loop.call_later(0, log, "later0")
    loop.call_soon(log, "soon1")
    loop.call_soon(log, "soon2")
    loop.call_later(0.0, log, "later0b")
    loop.call_later(-1, log, "later-1")
    loop.call_soon(loop.stop)
    loop.run_forever()


def L03_stop_before_run_forever(loop):
    loop.call_soon(log, "a")
    loop.stop()
    loop.run_forever()
    log("returned")
    loop.call_soon(log, "b")
    loop.call_soon(loop.stop)
    loop.run_forever()
    log("returned2")


def L04_stop_runs_rest_of_batch_not_next(loop):

    def first():
        log("first")
        loop.stop()
        loop.call_soon(log, "scheduled after stop")

    loop.call_soon(first)
    loop.call_soon(log, "second")
    loop.run_forever()
    log("returned")
    loop.call_soon(loop.stop)
    loop.run_forever()
    log("returned2")


def L05_timer_ready_appended_after_existing_ready(loop):
    loop.call_at(0, log, "timer0")
    loop.call_soon(log, "soon")
    loop.call_soon(loop.stop)
    loop.run_forever()


def L06_exception_in_callback(loop):

    def bad():
        raise ValueError("boom")

    loop.call_soon(bad)
    loop.call_soon(log, "next")
    loop.call_soon(loop.stop)
    loop.run_forever()


def L07_systemexit_in_callback(loop):

    def bad():
        raise SystemExit(3)

    loop.call_soon(bad)
    loop.call_soon(log, "next")
    try:
        loop.run_forever()
    except SystemExit as error:
        log("SystemExit propagated", error.code, "running", loop.is_running())
    loop.call_soon(loop.stop)
    loop.run_forever()
    log("second run")


def L08_run_until_complete_future_never_done(loop):
    future = loop.create_future()
    loop.call_soon(loop.stop)
    try:
        loop.run_until_complete(future)
    except RuntimeError as error:
        log(error)


def L09_cancel_handle(loop):
    handles = [loop.call_soon(log, i) for i in range(3)]

    def canceller():
        handles[1].cancel()

    loop._ready.appendleft(loop.call_soon(canceller))
    loop._ready.pop()
    loop.call_soon(loop.stop)
    loop.run_forever()
    log(handles[1].cancelled())


def L10_timer_sweep(loop):
    handles = [loop.call_at(100 + i, log, i) for i in range(200)]
    for i in range(100):
        handles[i].cancel()
    log("cancelled count", loop._timer_cancelled_count, len(loop._scheduled))
    loop.call_soon(loop.stop)
    loop.run_forever()
    log("after run (head pops)", loop._timer_cancelled_count, len(loop._scheduled))
    handles = [loop.call_at(500 + i, log, i) for i in range(100)]
    for handle in handles:
        handle.cancel()
    log("now", loop._timer_cancelled_count, len(loop._scheduled))
    loop.call_soon(loop.stop)
    loop.run_forever()
    log("50% exactly: not swept", loop._timer_cancelled_count, len(loop._scheduled))
    loop.call_at(900, log, 1).cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()
    log(">50%: swept", loop._timer_cancelled_count, len(loop._scheduled))


def L11_closed_loop_errors(loop):
    other = VirtualLoop()
    other.close()
    for name, attempt in dict(
        call_soon=lambda: other.call_soon(print),
        call_later=lambda: other.call_later(1, print),
        run_forever=other.run_forever,
        close=other.close,
        create_task=lambda: other.create_task(None),
    ).items():
        try:
            log(name, attempt())
        except Exception as error:
            log(name, repr(error))


def L12_nested_run(loop):

    async def main():
        try:
            loop.run_until_complete(asyncio.sleep(0))
        except RuntimeError as error:
            log(error)
        other = VirtualLoop()
        try:
            other.run_until_complete(asyncio.sleep(0))
        except RuntimeError as error:
            log(error)
        other.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loop.run_until_complete(main())


def L13_task_on_other_loop(loop):
    other = VirtualLoop()
    future = other.create_future()

    async def main():
        await future

    try:
        loop.run_until_complete(main())
    except RuntimeError as error:
        log(str(error)[:20], "...", str(error)[-30:])
    other.close()


def L14_call_exception_handler_keys(loop):
    loop.set_exception_handler(lambda loop, context: log(sorted(context)))

    def bad():
        raise ValueError("boom")

    loop.call_soon(bad)
    loop.call_soon(loop.stop)
    loop.run_forever()

    async def fail():
        raise KeyError(1)

    task = loop.create_task(fail())
    loop.call_soon(loop.stop)
    loop.run_forever()
    del task
    gc.collect()

    async def never():
        await loop.create_future()

    task = loop.create_task(never())
    loop.call_soon(loop.stop)
    loop.run_forever()
    del task
    gc.collect()
    future = loop.create_future()
    future.set_exception(ValueError())
    del future
    gc.collect()


def L15_eager_factory(loop):
    loop.set_task_factory(asyncio.eager_task_factory)

    async def child(n):
        log("c", n, "start")
        if n:
            await asyncio.sleep(0)
        log("c", n, "end")
        return n

    async def main():
        task = asyncio.create_task(child(0))
        log("created", task.done())
        await task
        log("awaited")
        task = asyncio.create_task(child(1))
        log("created", task.done())
        await task
        log("awaited")
        log(await asyncio.gather(child(0), child(0)))
        log(await asyncio.gather(child(0), child(1)))
        async with asyncio.TaskGroup() as group:
            group.create_task(child(0))
            log("body end")
        log("tg done")
        async with asyncio.TaskGroup() as group:
            group.create_task(child(1))
            log("body end")
        log("tg done")

    loop.run_until_complete(main())


def L16_eager_error(loop):
    loop.set_task_factory(asyncio.eager_task_factory)

    async def bad():
        raise ValueError("e")

    async def main():
        task = asyncio.create_task(bad())
        log("created", task.done(), repr(task.exception()))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(bad())
                log("body")
                await asyncio.sleep(0)
                log("body after sleep0")
        except* ValueError as error:
            log(repr(error), asyncio.current_task().cancelling())

    loop.run_until_complete(main())


def L17_eager_context_and_current_task(loop):
    loop.set_task_factory(asyncio.eager_task_factory)
    variable = contextvars.ContextVar("v", default=0)

    async def child():
        variable.set(1)
        log("cur is parent?", asyncio.current_task() is parent, variable.get())
        return asyncio.current_task()

    async def main():
        nonlocal parent
        parent = asyncio.current_task()
        task = asyncio.create_task(child())
        log("v in parent", variable.get(), "restored", asyncio.current_task() is parent, task.result() is task)

    parent = None
    loop.run_until_complete(main())


def L18_run_until_complete_cb_ordering(loop):

    async def main():
        loop.call_soon(log, "cb scheduled in last step")
        loop.call_soon(lambda: loop.call_soon(log, "nested never runs"))
        return 1

    loop.run_until_complete(main())
    log("returned; leftover ready", len(loop._ready))


def L22_bad_yields(loop):

    @types.coroutine
    def bad_yield(value):
        yield value

    async def main():
        for value in (5, loop.create_future(), (i for i in [1])):
            try:
                await bad_yield(value)
            except RuntimeError as error:
                log(str(error)[:60])

        async def self_waiter():
            await asyncio.current_task()

        try:
            await asyncio.create_task(self_waiter())
        except RuntimeError as error:
            log(str(error)[:30])

    loop.run_until_complete(main())


def L23_keyboardinterrupt_in_task(loop):

    async def bad():
        raise KeyboardInterrupt

    task = loop.create_task(bad())
    loop.call_soon(log, "x")
    try:
        loop.run_until_complete(asyncio.sleep(0))
    except KeyboardInterrupt:
        log("KI out of run_until_complete; task done", task.done(), repr(task.exception()))


def L24_call_soon_context(loop):
    variable = contextvars.ContextVar("v", default=0)

    def show(title):
        log(title, variable.get())
        variable.set(99)

    variable.set(1)
    loop.call_soon(show, "a")
    variable.set(2)
    loop.call_soon(show, "b")
    context = contextvars.copy_context()
    variable.set(3)
    loop.call_soon(show, "c", context=context)
    loop.call_soon(show, "d", context=context)
    loop.call_soon(loop.stop)
    loop.run_forever()
    log("outer", variable.get())


def L25_task_context(loop):
    variable = contextvars.ContextVar("v", default=0)

    async def child():
        log(variable.get())
        variable.set(variable.get() + 10)
        await asyncio.sleep(0)
        log(variable.get())

    async def main():
        variable.set(1)
        task = asyncio.create_task(child())
        variable.set(2)
        await task
        log("m", variable.get())
        context = contextvars.copy_context()
        await asyncio.create_task(child(), context=context)
        log("ctx", context[variable], "m", variable.get())
        await child()
        log("m", variable.get())

    loop.run_until_complete(main())


def L26_future_callbacks_context(loop):
    variable = contextvars.ContextVar("v", default=0)
    future = loop.create_future()
    variable.set(1)
    future.add_done_callback(lambda future: log("cb", variable.get()))
    variable.set(2)
    future.set_result(0)
    variable.set(3)
    loop.call_soon(loop.stop)
    loop.run_forever()


def L27_set_result_twice(loop):
    future = loop.create_future()
    future.set_result(1)
    for attempt in (
        lambda: future.set_result(2),
        lambda: future.set_exception(ValueError()),
        lambda: loop.create_future().result(),
        lambda: loop.create_future().exception(),
    ):
        try:
            attempt()
        except asyncio.InvalidStateError as error:
            log(repr(error))
    log("cancel", future.cancel())
    future = loop.create_future()
    future.cancel("m")
    try:
        future.set_result(1)
    except asyncio.InvalidStateError as error:
        log(repr(error))
    future = loop.create_future()
    future.set_exception(StopIteration(3))
    log(repr(future.exception()), repr(future.exception().__cause__))
    future = loop.create_future()
    future.set_exception(ValueError)
    log(repr(future.exception()))


def L28_remove_done_callback(loop):
    future = loop.create_future()
    callback = lambda future: log("x")
    future.add_done_callback(callback)
    future.add_done_callback(callback)
    log(future.remove_done_callback(callback))
    log(future.remove_done_callback(callback))


def L29_sleep_args(loop):

    async def main():
        log(await asyncio.sleep(0, "r0"), await asyncio.sleep(-5, "neg"), await asyncio.sleep(1, "r1"), loop.time())
        try:
            await asyncio.sleep(float("nan"))
        except ValueError as error:
            log(error)

    loop.run_until_complete(main())


def L30_run_coroutine_exc_return(loop):

    async def failing():
        raise ValueError("z")

    try:
        loop.run_until_complete(failing())
    except ValueError as error:
        log(repr(error))

    async def cancelling():
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    try:
        loop.run_until_complete(cancelling())
    except asyncio.CancelledError as error:
        log(repr(error))


def L31_clock_resolution(loop):
    loop._clock_resolution = 0.25
    loop.call_at(1.0, lambda: log("a", loop.time()))
    loop.call_at(1.2, lambda: log("b", loop.time()))
    loop.call_at(1.25, lambda: log("c", loop.time()))
    loop.call_at(2, loop.stop)
    loop.run_forever()
