#!/usr/bin/env python3
"""Record what CPython's asyncio does with a program of the language `primitives`.

usage: oracle.py PROGRAMS.jsonl > TRACES.jsonl      (one JSON object a line, in and out)

Each op is a method; what every language has is in ../kit/recording.py.
"""
import asyncio
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kit"))
import recording
from recording import UserError


class Program(recording.Recording):
    def __init__(self, program):
        super().__init__(program)
        self.tasks = {}  # slot -> the task last spawned into it

    def make_objects(self):
        spec = self.program.get("objects", {})
        self.locks = [asyncio.Lock() for _ in range(spec.get("locks", 0))]
        self.sems = [asyncio.Semaphore(n) for n in spec.get("semaphores", [])]
        self.events = [asyncio.Event() for _ in range(spec.get("events", 0))]
        self.conds = [asyncio.Condition() for _ in range(spec.get("conditions", 0))]
        self.barriers = [asyncio.Barrier(n) for n in spec.get("barriers", [])]
        self.futures = [self.loop.create_future() for _ in range(spec.get("futures", 0))]
        kinds = {"fifo": asyncio.Queue, "lifo": asyncio.LifoQueue, "priority": asyncio.PriorityQueue}
        self.queues = [kinds[kind](size) for kind, size in spec.get("queues", [])]

    # -- tasks ---------------------------------------------------------
    async def op_spawn(self, slot, name):
        self.tasks[slot] = self.task(self.coro(name), slot)
        self.log("spawned", slot)

    async def op_join(self, slot):
        if slot in self.tasks:
            self.log("joined", slot, await self.tasks[slot])

    async def op_cancel(self, slot, *message):
        if slot in self.tasks:
            self.log("cancel", slot, self.tasks[slot].cancel(*message))

    async def op_cancel_self(self, *message):
        self.log("cancel self", asyncio.current_task().cancel(*message))

    async def op_uncancel(self):
        self.log("uncancel", asyncio.current_task().uncancel())

    async def op_cancelling(self):
        self.log("cancelling", asyncio.current_task().cancelling())

    async def op_state(self, slot):
        task = self.tasks.get(slot)
        if task is not None:
            self.log("state", slot, "done" if task.done() else "pending", "cancelled" if task.done() and task.cancelled() else "-", task.cancelling())

    async def op_callback(self, slot, word):
        task = self.tasks.get(slot)
        if task is not None:
            task.add_done_callback(lambda t: self.log("callback", word, self.name(t)))

    async def op_gather(self, slots, names, return_exceptions):
        aws = [self.tasks[s] for s in slots if s in self.tasks]
        aws += [self.task(self.coro(n), f"{self.name(asyncio.current_task())}.{n}{i}") for i, n in enumerate(names)]
        self.log("gathered", await asyncio.gather(*aws, return_exceptions=return_exceptions))

    async def op_shield(self, slot):
        if slot in self.tasks:
            self.log("shielded", await asyncio.shield(self.tasks[slot]))

    async def op_wait(self, slots, when, timeout):
        tasks = [self.tasks[s] for s in slots if s in self.tasks]
        if tasks:
            done, pending = await asyncio.wait(tasks, timeout=timeout, return_when=when)
            self.log("waited", self.names(done), self.names(pending))

    async def op_wait_for(self, name, timeout):
        self.log("waited for", await asyncio.wait_for(self.coro(name), timeout))

    async def op_wait_for_task(self, slot, timeout):
        if slot in self.tasks:
            self.log("waited for", slot, await asyncio.wait_for(self.tasks[slot], timeout))

    async def op_timeout(self, delay, ops):
        async with asyncio.timeout(delay) as scope:
            await self.ops(ops)
        self.log("timeout left", scope.expired())

    async def op_reschedule(self, delay, then, ops):
        """A timeout of `delay` that is rescheduled to `then` from now before the ops."""
        async with asyncio.timeout(delay) as scope:
            scope.reschedule(None if then is None else self.loop.time() + then)
            await self.ops(ops)
        self.log("timeout left", scope.expired())

    async def op_group(self, names, ops):
        async with asyncio.TaskGroup() as group:
            for i, n in enumerate(names):
                task = group.create_task(self.coro(n), name=f"{self.name(asyncio.current_task())}/{n}{i}")
                self.all.append(task)
            await self.ops(ops)
        self.log("group left")

    async def op_as_completed(self, slots, timeout):
        tasks = list(dict.fromkeys(self.tasks[s] for s in slots if s in self.tasks))
        for next_done in asyncio.as_completed(tasks, timeout=timeout):
            try:
                self.log("completed", await next_done)
            except (UserError, TimeoutError) as e:
                self.log("completed", e)

    # -- loop ----------------------------------------------------------
    async def op_call_soon(self, word):
        self.loop.call_soon(self.log, "soon", word)

    async def op_call_later(self, delay, word):
        self.loop.call_later(delay, self.log, "later", word)

    # -- futures -------------------------------------------------------
    async def op_fut_await(self, i):
        self.log("future", i, await self.futures[i])

    async def op_fut_set(self, i, value):
        if not self.futures[i].done():
            self.futures[i].set_result(value)

    async def op_fut_raise(self, i, message):
        if not self.futures[i].done():
            self.futures[i].set_exception(UserError(message))
            self.futures[i].exception()

    async def op_fut_cancel(self, i):
        self.log("cancel future", i, self.futures[i].cancel())

    # -- synchronisation -----------------------------------------------
    async def op_lock(self, i, ops):
        async with self.locks[i]:
            self.log("locked", i)
            await self.ops(ops)
        self.log("unlocked", i)

    async def op_semaphore(self, i, ops):
        async with self.sems[i]:
            self.log("acquired", i)
            await self.ops(ops)
        self.log("released", i)

    async def op_event_wait(self, i):
        self.log("event", i, await self.events[i].wait())

    async def op_event_set(self, i):
        self.events[i].set()

    async def op_event_clear(self, i):
        self.events[i].clear()

    async def op_cond_wait(self, i):
        async with self.conds[i]:
            self.log("condition", i, await self.conds[i].wait())

    async def op_cond_notify(self, i, n):
        async with self.conds[i]:
            self.conds[i].notify(n)

    async def op_barrier(self, i):
        self.log("barrier", i, await self.barriers[i].wait())

    async def op_barrier_reset(self, i):
        await self.barriers[i].reset()

    async def op_barrier_abort(self, i):
        await self.barriers[i].abort()

    # -- queues --------------------------------------------------------
    async def op_put(self, i, value):
        await self.queues[i].put(value)
        self.log("put", i, value)

    async def op_get(self, i):
        self.log("got", i, await self.queues[i].get())

    async def op_put_nowait(self, i, value):
        try:
            self.queues[i].put_nowait(value)
            self.log("put", i, value)
        except (asyncio.QueueFull, asyncio.QueueShutDown) as e:
            self.log("put", i, e)

    async def op_get_nowait(self, i):
        try:
            self.log("got", i, self.queues[i].get_nowait())
        except (asyncio.QueueEmpty, asyncio.QueueShutDown) as e:
            self.log("got", i, e)

    async def op_task_done(self, i):
        try:
            self.queues[i].task_done()
        except ValueError as e:
            self.log("task_done", e)

    async def op_queue_join(self, i):
        await self.queues[i].join()
        self.log("queue joined", i)

    async def op_shutdown(self, i, immediate):
        self.queues[i].shutdown(immediate)


if __name__ == "__main__":
    recording.main(Program, __doc__)
