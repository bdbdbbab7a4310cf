"""Task.cancel and Task.uncancel: when the CancelledError arrives, and what becomes of it."""

import asyncio

from trace_loop import log


async def K01_cancel_before_start():

    async def child():
        log("never runs")

    task = asyncio.create_task(child())
    log("cancel", task.cancel())
    try:
        await task
    except asyncio.CancelledError:
        log("cancelled", task.cancelled())


async def K02_cancel_at_sleep0():

    async def child():
        try:
            await asyncio.sleep(0)
            log("no")
        except asyncio.CancelledError:
            log("c cancelled")
            raise

    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    task.cancel()
    log("cancel")
    try:
        await task
    except asyncio.CancelledError:
        log("main")


async def K03_cancel_msg():

    async def child():
        await asyncio.sleep(10)

    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    task.cancel("why")
    try:
        await task
    except asyncio.CancelledError as error:
        log(error.args, task._cancel_message)
    try:
        task.result()
    except asyncio.CancelledError as error:
        log("again", error.args)
    try:
        task.exception()
    except asyncio.CancelledError as error:
        log("exception()", error.args)


async def K04_cancel_twice_message():

    async def child():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as error:
            log("inner", error.args)
            raise

    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    log(task.cancel("one"), task.cancel("two"), task.cancelling())
    try:
        await task
    except asyncio.CancelledError as error:
        log("outer", error.args)


async def K05_cancel_swallow_then_cancel_again():

    async def child():
        for i in range(3):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                log("swallow", i, asyncio.current_task().cancelling())
        return "ok"

    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    for i in range(3):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    log(await task)


async def K06_uncancel():

    async def child():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("cancelling", asyncio.current_task().cancelling(), "uncancel", asyncio.current_task().uncancel())
        await asyncio.sleep(0)
        log("ok")
        return 1

    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    task.cancel()
    log(await task, task.cancelled())


async def K07_uncancel_clears_must_cancel():

    async def child():
        task = asyncio.current_task()
        task.cancel()
        log("cancelling", task.cancelling())
        task.uncancel()
        await asyncio.sleep(0)
        log("survived")

    await asyncio.create_task(child())


async def K08_self_cancel():

    async def child():
        asyncio.current_task().cancel()
        log("still running")
        try:
            await asyncio.sleep(0)
            log("no")
        except asyncio.CancelledError:
            log("raised at next suspension")
            raise

    task = asyncio.create_task(child())
    try:
        await task
    except asyncio.CancelledError:
        log("main")


async def K09_self_cancel_then_return():

    async def child():
        asyncio.current_task().cancel()
        return 5

    task = asyncio.create_task(child())
    try:
        log(await task)
    except asyncio.CancelledError:
        log("main cancelled", task.cancelled())


async def K10_self_cancel_await_done_future():

    async def child():
        future = asyncio.get_running_loop().create_future()
        future.set_result(1)
        asyncio.current_task().cancel()
        log(await future, "await done future not interrupted")
        await asyncio.sleep(0)

    task = asyncio.create_task(child())
    try:
        log(await task)
    except asyncio.CancelledError:
        log("main cancelled")


async def K11_cancel_task_awaiting_task():

    async def inner():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("inner cancelled")
            raise

    async def outer():
        try:
            await inner_task
        except asyncio.CancelledError:
            log("outer cancelled")
            raise

    inner_task = asyncio.create_task(inner())
    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    log("cancel")
    try:
        await task
    except asyncio.CancelledError:
        log("main")


async def K12_cancel_inner_swallows_outer_not_cancelled():

    async def inner():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "swallowed"

    async def outer():
        result = await inner_task
        log("outer got", result, "cancelling", asyncio.current_task().cancelling())
        return result

    inner_task = asyncio.create_task(inner())
    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    log(await task)


async def K13_cancel_done_task():

    async def child():
        return 1

    task = asyncio.create_task(child())
    await task
    log(task.cancel(), task.cancelling())


async def K14_cancel_with_completed_waiter():
    future = asyncio.get_running_loop().create_future()

    async def child():
        try:
            log("got", await future)
        except asyncio.CancelledError:
            log("cancelled although future had result")
            raise

    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    future.set_result(1)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log("main")


async def K15_raise_cancelled_without_cancel():

    async def child():
        raise asyncio.CancelledError("manual")

    task = asyncio.create_task(child())
    try:
        await task
    except asyncio.CancelledError as error:
        log(error.args, task.cancelled(), task.cancelling())


async def K16_cancelled_then_other_exception():

    async def child():
        try:
            await asyncio.sleep(10)
        finally:
            raise ValueError("x")

    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except ValueError as error:
        log(repr(error), repr(error.__context__), task.cancelled())
