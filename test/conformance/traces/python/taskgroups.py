"""TaskGroup: the children's errors, the body's, and cancellation from outside."""

import asyncio

from trace_loop import log


async def E01_taskgroup_empty():
    log("before")
    async with asyncio.TaskGroup() as group:
        pass
    log("after")


async def E02_taskgroup_one_immediate():

    async def child():
        log("child")

    async with asyncio.TaskGroup() as group:
        group.create_task(child())
        log("body end")
    log("after")


async def E03_taskgroup_two_uneven():

    async def child(n):
        for _ in range(n):
            await asyncio.sleep(0)
        log("child end", n)

    async with asyncio.TaskGroup() as group:
        group.create_task(child(0))
        group.create_task(child(2))
        log("body end")
    log("after")


async def E04_taskgroup_child_error_cancels_sibling_and_body():

    async def bad():
        log("bad")
        raise ValueError("x")

    async def good():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("good cancelled")
            raise

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(good())
            group.create_task(bad())
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                log("body cancelled; cancelling()=", asyncio.current_task().cancelling())
                raise
    except* ValueError as error:
        log("eg", repr(error), "cancelling", asyncio.current_task().cancelling())


async def E05_taskgroup_child_error_while_in_aexit():

    async def bad():
        await asyncio.sleep(0)
        log("bad")
        raise ValueError("x")

    async def good():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("good cancelled")
            raise

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(good())
            group.create_task(bad())
            log("body end")
    except* ValueError as error:
        log("eg", repr(error), "cancelling", asyncio.current_task().cancelling())


async def E06_taskgroup_body_error():

    async def good():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("good cancelled")
            raise

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(good())
            await asyncio.sleep(0)
            log("raise")
            raise KeyError("k")
    except* KeyError as error:
        log("eg", repr(error))


async def E07_taskgroup_body_error_before_child_started():

    async def good():
        log("never")

    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(good())
            raise KeyError("k")
    except* KeyError as error:
        log("eg", repr(error), "child cancelled", task.cancelled())


async def E08_taskgroup_external_cancel():

    async def good():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log("good cancelled")
            raise

    async def parent():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(good())
        except asyncio.CancelledError as error:
            log("m cancelled", error.args, asyncio.current_task().cancelling())
            raise

    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel("ext")
    log("cancel")
    try:
        await task
    except asyncio.CancelledError as error:
        log("main caught", error.args)


async def E09_taskgroup_external_cancel_and_child_error():

    async def good():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise ValueError("from cleanup")

    async def parent():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(good())
        except* ValueError as error:
            log("m eg", repr(error), "cancelling", asyncio.current_task().cancelling())
        log("m continues")
        try:
            await asyncio.sleep(0)
            log("NOT cancelled")
        except asyncio.CancelledError:
            log("cancelled at next await")
            raise

    task = asyncio.create_task(parent())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    log("cancel")
    try:
        await task
    except asyncio.CancelledError as error:
        log("main caught CancelledError")


async def E10_taskgroup_create_task_in_aexit():

    async def first(group):
        log("c1")
        group.create_task(second())

    async def second():
        log("c2")

    async with asyncio.TaskGroup() as group:
        group.create_task(first(group))
    log("after")
    late = second()
    try:
        group.create_task(late)
    except RuntimeError as error:
        log("RuntimeError", str(error))


async def E11_taskgroup_child_cancelled_alone():

    async def child():
        await asyncio.sleep(10)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(child())
        await asyncio.sleep(0)
        task.cancel()
    log("after", task.cancelled())


async def E12_taskgroup_nested_error():

    async def bad():
        raise ValueError("x")

    try:
        async with asyncio.TaskGroup() as outer:
            async with asyncio.TaskGroup() as inner:
                inner.create_task(bad())
    except* ValueError as error:
        log(repr(error), asyncio.current_task().cancelling())


async def E13_taskgroup_children_order():

    async def child(n):
        log("c", n)

    async with asyncio.TaskGroup() as group:
        for i in range(4):
            group.create_task(child(i))
    log("after")
