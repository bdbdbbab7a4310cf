"""timeout: when it expires, nested ones, and cancellation from elsewhere."""

import asyncio

from trace_loop import log


async def D01_timeout_no_expire():
    log("before")
    async with asyncio.timeout(1) as scope:
        log("in", scope.when())
    log("after", scope.expired())


async def D02_timeout_expire():
    try:
        async with asyncio.timeout(1) as scope:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                log("cancelled inside", asyncio.current_task().cancelling())
                raise
    except TimeoutError:
        log("TimeoutError", scope.expired(), asyncio.current_task().cancelling(), asyncio.get_running_loop().time())


async def D03_timeout_zero_no_await():
    async with asyncio.timeout(0) as scope:
        log("body")
    log("no error", scope.expired())
    await asyncio.sleep(0)
    log("still fine")


async def D04_timeout_zero_with_sleep0():
    try:
        async with asyncio.timeout(0) as scope:
            log("body")
            await asyncio.sleep(0)
            log("survived sleep0")
            await asyncio.sleep(0)
            log("survived 2")
    except TimeoutError:
        log("TimeoutError", scope.expired())


async def D05_timeout_negative():
    try:
        async with asyncio.timeout(-1) as scope:
            await asyncio.sleep(5)
    except TimeoutError:
        log("TimeoutError", asyncio.get_running_loop().time())


async def D06_nested_timeouts_outer_first():
    try:
        async with asyncio.timeout(1) as outer:
            try:
                async with asyncio.timeout(2) as inner:
                    await asyncio.sleep(10)
            finally:
                log("inner exit", inner.expired())
    except TimeoutError:
        log("outer", outer.expired(), inner.expired(), asyncio.get_running_loop().time())


async def D07_nested_same_deadline():
    try:
        async with asyncio.timeout(1) as outer:
            try:
                async with asyncio.timeout(1) as inner:
                    await asyncio.sleep(10)
            except TimeoutError:
                log("inner TimeoutError", inner.expired(), asyncio.current_task().cancelling())
                raise
    except TimeoutError:
        log("outer TimeoutError", outer.expired(), inner.expired(), asyncio.current_task().cancelling())


async def D08_timeout_and_external_cancel_same_tick():

    async def parent():
        try:
            async with asyncio.timeout(1) as scope:
                await asyncio.sleep(10)
        except BaseException as error:
            log(
                "m got",
                type(error).__name__,
                "expired",
                scope.expired(),
                "cancelling",
                asyncio.current_task().cancelling(),
            )
            raise

    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(1.0, task.cancel)
    try:
        await task
    except BaseException as error:
        log("main", type(error).__name__)


async def D09_timeout_swallowed_cancel():
    async with asyncio.timeout(1) as scope:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("swallowed")
        log("continuing", asyncio.current_task().cancelling())
    log("exit normal", scope.expired(), asyncio.current_task().cancelling())


async def D10_timeout_reschedule():
    async with asyncio.timeout(None) as scope:
        log(scope.when())
        scope.reschedule(asyncio.get_running_loop().time() + 5)
        log(scope.when(), repr(scope))
        await asyncio.sleep(3)
        scope.reschedule(None)
        await asyncio.sleep(5)
    log("ok", asyncio.get_running_loop().time(), repr(scope))


async def D11_timeout_other_exception_context():
    try:
        async with asyncio.timeout(1):
            try:
                await asyncio.sleep(10)
            finally:
                raise KeyError("x")
    except KeyError as error:
        log("KeyError ctx", repr(error.__context__), "ctx.cause", repr(error.__context__.__cause__))
