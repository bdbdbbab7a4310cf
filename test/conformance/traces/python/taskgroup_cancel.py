"""TaskGroup.cancel, of CPython 3.15."""

import asyncio

from trace_loop import log


async def M01_tg_cancel_from_body():

    async def good():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("good cancelled")
            raise

    async with asyncio.TaskGroup() as group:
        task = group.create_task(good())
        await asyncio.sleep(0)
        group.cancel()
        log("cancel called", asyncio.current_task().cancelling(), repr(group))
        log("body continues until next await")
        await asyncio.sleep(0)
        log("not reached")
    log("after", asyncio.current_task().cancelling(), task.cancelled())


async def M02_tg_cancel_from_child():

    async def killer(group):
        await asyncio.sleep(0)
        log("killer")
        group.cancel()
        log("killer goes on")
        await asyncio.sleep(0)
        log("not reached")

    async with asyncio.TaskGroup() as group:
        group.create_task(killer(group))
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("body cancelled")
            raise
    log("after", asyncio.current_task().cancelling())


async def M03_tg_cancel_before_enter():
    group = asyncio.TaskGroup()
    group.cancel()
    async with group:
        log("body", asyncio.current_task().cancelling())
        await asyncio.sleep(0)
        log("not reached")
    log("after", asyncio.current_task().cancelling())


async def M04_tg_cancel_body_end_no_await():
    async with asyncio.TaskGroup() as group:
        group.cancel()
    log("after", asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    log("ok")


async def M05_tg_cancel_and_child_error():

    async def child():
        try:
            await asyncio.sleep(10)
        finally:
            raise ValueError("cleanup")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
            await asyncio.sleep(0)
            group.cancel()
    except* ValueError as error:
        log(repr(error), asyncio.current_task().cancelling())


async def M06_tg_cancel_then_create():
    async with asyncio.TaskGroup() as group:
        group.cancel()
        late = asyncio.sleep(0)
        try:
            group.create_task(late)
        except RuntimeError as error:
            log(error)


async def M07_tg_cancel_swallows_external_cancel():

    async def parent():
        async with asyncio.TaskGroup() as group:
            group.cancel()
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
        log("after", asyncio.current_task().cancelling())

    task = asyncio.create_task(parent())
    try:
        await task
        log("not cancelled")
    except asyncio.CancelledError:
        log("cancelled")


async def M08_tg_cancel_after_exit():
    async with asyncio.TaskGroup() as group:
        pass
    group.cancel()
    log("ok", asyncio.current_task().cancelling())


async def M09_tg_cancel_in_aexit():

    async def killer(group):
        await asyncio.sleep(0)
        group.cancel()
        log("cancelled")

    async def good():
        await asyncio.sleep(10)

    async with asyncio.TaskGroup() as group:
        group.create_task(killer(group))
        task = group.create_task(good())
        log("body end")
    log("after", asyncio.current_task().cancelling(), task.cancelled())
