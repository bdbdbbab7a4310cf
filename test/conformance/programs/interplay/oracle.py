#!/usr/bin/env python3
"""Record what CPython's asyncio does with a program of the language `interplay`.

usage: oracle.py PROGRAMS.jsonl > TRACES.jsonl      (one JSON object a line, in and out)

Everything has a name that any task and any callback can use. A slot holds a future or a task: spawned, or made by
`gather`, `shield`, `wait_for` or `wait` of other slots. "self" is the running task, which a callback has none of.
`act_` ops never wait, and so may stand in a callback; `op_` ops may wait. What every language has is in
../kit/recording.py.
"""
import asyncio
import contextvars
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kit"))
import recording

NUMBER_OF_VARIABLES = 2


class Program(recording.Recording):
    def __init__(self, program):
        super().__init__(program)
        self.slots = {}
        self.futures = set()  # those that the program completes itself
        self.deadlines = {}  # the one last entered under each name
        self.groups = {}
        self.owners = {}  # the task that has entered a deadline or group
        self.handles = {}
        self.callbacks = {}
        self.contexts = {}
        self.variables = [contextvars.ContextVar(f"v{i}") for i in range(NUMBER_OF_VARIABLES)]
        self.tokens = [[] for _ in self.variables]

    def main_made(self, main):
        self.slots["main"] = main

    def make_objects(self):
        self.lock = asyncio.Lock()
        self.condition = asyncio.Condition()
        self.queue = asyncio.Queue()

    def other_outcomes(self):
        for slot, future in self.slots.items():
            if not isinstance(future, asyncio.Task):
                self.outcome(future, slot)

    def target(self, slot):
        """What is in the slot; None if nothing is."""
        return asyncio.current_task() if slot == "self" else self.slots.get(slot)

    def targets(self, slots):
        return [self.slots[slot] for slot in slots if slot in self.slots]

    def target_task(self, slot):
        target = self.target(slot)
        return target if isinstance(target, asyncio.Task) else None

    def awaitable(self, slot):
        """None also for the running task: to await itself is a flaw of CPython's."""
        target = self.target(slot)
        return None if target is asyncio.current_task() else target

    # -- slots ---------------------------------------------------------
    def act_future(self, slot):
        self.slots[slot] = future = self.loop.create_future()
        self.futures.add(future)

    def act_set(self, slot, value):
        if self.is_open(slot):
            self.slots[slot].set_result(value)

    def act_fail(self, slot, message):
        if self.is_open(slot):
            self.slots[slot].set_exception(recording.UserError(message))

    def is_open(self, slot):
        future = self.slots.get(slot)
        return future in self.futures and not future.done()

    def act_spawn(self, slot, name, options):
        """options: "group", "context": names; "eager": the first step is taken at once."""
        keywords = self.context(options.get("context"))
        if options.get("eager"):
            keywords["eager_start"] = True
        group = self.groups.get(options.get("group"), self.loop)
        try:
            task = group.create_task(self.coro(name), name=slot, **keywords)
        except RuntimeError as error:
            if group is self.loop or isinstance(error, RecursionError):
                raise
            self.log("refused", slot)
            return
        self.all.append(task)
        self.slots[slot] = task
        self.log("spawned", slot)

    def act_gather(self, slot, slots, return_exceptions):
        self.slots[slot] = asyncio.gather(*self.targets(slots), return_exceptions=return_exceptions)

    def act_shield(self, slot, of):
        if of in self.slots:
            self.slots[slot] = asyncio.shield(self.slots[of])

    def act_wait_for(self, slot, of, timeout):
        if of in self.slots:
            self.slots[slot] = self.task(asyncio.wait_for(self.slots[of], timeout), slot)

    def act_wait(self, slot, slots, when, timeout):
        targets = self.targets(slots)
        if targets:
            self.slots[slot] = self.task(self.wait(targets, when, timeout), slot)

    async def wait(self, targets, when, timeout):
        done, pending = await asyncio.wait(targets, timeout=timeout, return_when=when)
        return [self.names(done), self.names(pending)]

    def act_cancel(self, slot, *message):
        target = self.target(slot)
        if target is not None:
            self.log("cancel", slot, target.cancel(*message))

    def act_uncancel(self, slot):
        task = self.target_task(slot)
        if task is not None:
            self.log("uncancel", slot, task.uncancel())

    def act_cancelling(self, slot):
        task = self.target_task(slot)
        if task is not None:
            self.log("cancelling", slot, task.cancelling())

    def act_state(self, slot):
        target = self.target(slot)
        if target is not None:
            self.log("state", slot, self.end(target))

    # -- callbacks -----------------------------------------------------
    def context(self, name):
        """The keyword arguments that name a context, if there is one: None would be no context at all."""
        return {"context": self.contexts[name]} if name in self.contexts else {}

    def act_soon(self, handle, ops, context=None):
        self.handles[handle] = self.loop.call_soon(self.act, ops, **self.context(context))

    def act_at(self, handle, delay, ops, context=None):
        when = self.loop.time() + delay
        self.handles[handle] = self.loop.call_at(when, self.act, ops, **self.context(context))

    def act_unschedule(self, handle):
        if handle in self.handles:
            self.handles[handle].cancel()

    def act_on_done(self, slot, callback, ops, context=None):
        def done(future):
            self.log("done", slot)
            self.act(ops)

        target = self.target(slot)
        if target is not None:
            self.callbacks[callback] = done
            target.add_done_callback(done, **self.context(context))

    def act_off_done(self, slot, callback):
        target = self.target(slot)
        if target is not None and callback in self.callbacks:
            self.log("removed", target.remove_done_callback(self.callbacks[callback]))

    # -- deadlines and groups ------------------------------------------
    def act_cancel_owner(self, name, *message):
        """Cancels the task that is, or was, inside of the deadline or group."""
        if name in self.owners:
            self.log("cancel owner", name, self.owners[name].cancel(*message))

    def act_reschedule(self, name, delay):
        deadline = self.deadlines.get(name)
        if deadline is None:
            return
        try:
            deadline.reschedule(None if delay is None else self.loop.time() + delay)
            self.log("rescheduled", name)
        except RuntimeError:
            self.log("refused", name)

    def act_deadline_state(self, name):
        deadline = self.deadlines.get(name)
        if deadline is not None:
            when = deadline.when()
            self.log("deadline", name, None if when is None else f"{when:g}", deadline.expired())

    # -- context -------------------------------------------------------
    def act_set_var(self, i, value):
        self.tokens[i].append(self.variables[i].set(value))

    def act_get_var(self, i):
        self.log("variable", i, self.variables[i].get(None))

    def act_reset_var(self, i):
        """Takes the last set back, whoever made it."""
        if not self.tokens[i]:
            return
        try:
            self.variables[i].reset(self.tokens[i].pop())
        except ValueError:
            self.log("refused", i)

    def act_copy_context(self, name):
        self.contexts[name] = contextvars.copy_context()

    def act_run_in(self, name, ops):
        if name not in self.contexts:
            return
        entered = False

        def run():
            nonlocal entered
            entered = True
            self.act(ops)

        try:
            self.contexts[name].run(run)
        except RuntimeError:
            if entered:
                raise
            self.log("refused", name)

    # -- waiting -------------------------------------------------------
    async def op_await(self, slot):
        target = self.awaitable(slot)
        if target is not None:
            self.log("got", slot, await target)

    async def op_await_gather(self, slots, return_exceptions):
        self.log("gathered", await asyncio.gather(*self.targets(slots), return_exceptions=return_exceptions))

    async def op_await_shield(self, slot):
        if slot in self.slots:
            target = asyncio.shield(self.slots[slot])
            if target is not asyncio.current_task():
                self.log("shielded", slot, await target)

    async def op_await_wait_for(self, slot, timeout):
        target = self.awaitable(slot)
        if target is not None:
            self.log("waited for", slot, await asyncio.wait_for(target, timeout))

    async def op_await_wait(self, slots, when, timeout):
        targets = self.targets(slots)
        if targets:
            self.log("waited", await self.wait(targets, when, timeout))

    async def op_await_as_completed(self, slots, timeout):
        for completed in asyncio.as_completed(dict.fromkeys(self.targets(slots)), timeout=timeout):
            try:
                self.log("completed", await completed)
            except (recording.UserError, TimeoutError) as error:
                self.log("completed", error)

    async def op_wait_for_call(self, name, timeout):
        self.log("waited for", await asyncio.wait_for(self.coro(name), timeout))

    async def op_deadline(self, name, delay, ops):
        async with asyncio.timeout(delay) as deadline:
            self.deadlines[name] = deadline
            self.owners[name] = asyncio.current_task()
            await self.ops(ops)
        self.log("left", name, deadline.expired())

    async def op_group(self, name, ops):
        async with asyncio.TaskGroup() as group:
            self.groups[name] = group
            self.owners[name] = asyncio.current_task()
            await self.ops(ops)
        self.log("left", name)

    # -- what a cancelled waiter must hand on --------------------------
    async def op_hold(self, ops):
        async with self.lock:
            await self.ops(ops)
        self.log("released")

    async def op_cond_wait(self):
        async with self.condition:
            self.log("notified", await self.condition.wait())

    async def op_cond_notify(self, count):
        async with self.condition:
            self.condition.notify(count)

    def act_put(self, value):
        self.queue.put_nowait(value)

    async def op_get(self):
        self.log("item", await self.queue.get())


if __name__ == "__main__":
    recording.main(Program, __doc__)
