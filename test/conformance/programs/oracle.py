#!/usr/bin/env python3
"""Record what CPython's asyncio does with a program of the conformance language.

usage: oracle.py PROGRAMS.jsonl > TRACES.jsonl      (one JSON object a line, in and out)

A program runs on CPython's own BaseEventLoop; only its clock is virtual (virtual_loop.py).
README.md beside this file describes the language.
Where CPython leaves an order undefined, the order of making is pinned: the tasks of a TaskGroup
and of as_completed (sets, in memory address order) and timers due at the same instant (in binary
heap order).
"""
import asyncio
import asyncio.taskgroups
import asyncio.tasks
import json
import sys

from virtual_loop import VirtualLoop

WATCHDOG = 1000  # virtual seconds after which whatever still runs is cancelled
MAX_EVENTS = 400  # a trace stops growing here


class OrderedSet(dict):
    """A set that iterates in insertion order."""

    def __init__(self, items=()):
        super().__init__((item, None) for item in items)

    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)

    def remove(self, item):
        del self[item]


asyncio.taskgroups.set = OrderedSet


class OrderedTimer(asyncio.TimerHandle):
    """A timer that, due at the same instant as another, fires in the order of their making."""

    made = 0

    def __init__(self, *args):
        super().__init__(*args)
        OrderedTimer.made += 1
        self.order = OrderedTimer.made

    def __lt__(self, other):
        return (self._when, self.order) < (other._when, other.order)


asyncio.events.TimerHandle = OrderedTimer


class OrderedAsCompleted(asyncio.tasks._AsCompletedIterator):
    """An as_completed that looks at its futures in the order given: those that are done already come in it."""

    def __init__(self, futures, timeout):
        super().__init__((), None)
        self._todo = OrderedSet(futures)
        self._todo_left = len(self._todo)
        for future in self._todo:
            future.add_done_callback(self._handle_completion)
        if self._todo and timeout is not None:
            self._timeout_handle = asyncio.get_running_loop().call_later(timeout, self._handle_timeout)


asyncio.tasks._AsCompletedIterator = OrderedAsCompleted


class UserError(Exception):
    pass


def show(value):
    """A value or an exception as the trace spells it."""
    if isinstance(value, BaseExceptionGroup):
        return "ExceptionGroup[" + ", ".join(show(e) for e in value.exceptions) + "]"
    if isinstance(value, BaseException):
        name = type(value).__name__
        if isinstance(value, (UserError, asyncio.CancelledError)):
            return f"{name}({', '.join(str(a) for a in value.args)})"
        return name  # messages of built-in errors are not compared
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(v) for v in value) + "]"
    return str(value)


class Return(Exception):
    """Unwinds a coroutine of the program: its ["return", v]."""

    def __init__(self, value):
        self.value = value


class Program:
    def __init__(self, program):
        self.program = program
        self.trace = []
        self.tasks = {}  # slot -> Task or Future
        self.all = []  # every task made, in order

    # -- trace ---------------------------------------------------------
    def log(self, *words):
        if len(self.trace) >= MAX_EVENTS:
            return
        task = None
        try:
            task = asyncio.current_task()
        except RuntimeError:
            pass
        who = self.name(task) if task else "-"
        self.trace.append(f"{self.loop.time():g} {who}: " + " ".join(show(w) for w in words))

    @staticmethod
    def name(task):
        """The task's name; one that the program gave none is "anonymous"."""
        name = task.get_name()
        return "anonymous" if name.startswith("Task-") else name

    # -- running -------------------------------------------------------
    def run(self):
        self.loop = loop = VirtualLoop()
        asyncio.events.set_event_loop(loop)
        if self.program.get("eager"):
            loop.set_task_factory(asyncio.eager_task_factory)
        loop.set_exception_handler(self.handler)
        try:
            main = self.task(self.main(), "main")
            loop.call_later(WATCHDOG, self.watchdog)
            loop.run_until_complete(asyncio.wait([main]))
            self.outcome(main)
            for task in self.all:
                if not task.done():
                    task.cancel()
            rest = [t for t in self.all if not t.done()]
            if rest:
                loop.run_until_complete(asyncio.wait(rest))
            for task in self.all:
                if task is not main:
                    self.outcome(task)
        except RuntimeError as error:
            self.trace.append("loop: " + str(error))
        finally:
            for task in self.all:
                task._log_destroy_pending = False
            loop.close()
        return self.trace

    def handler(self, loop, context):
        # what garbage collection finds depends on the collector, and is not compared
        if "never retrieved" not in context["message"] and "destroyed" not in context["message"]:
            self.log("handler", context.get("exception"))

    def watchdog(self):
        self.log("watchdog")
        for task in self.all:
            if not task.done():
                task.cancel()

    def outcome(self, task):
        if not task.done():
            end = "pending"
        elif task.cancelled():
            end = "cancelled"
        elif task.exception() is not None:
            end = "raised " + show(task.exception())
        else:
            end = "returned " + show(task.result())
        self.trace.append(f"end {self.name(task)} {end}")

    def task(self, coro, name):
        task = self.loop.create_task(coro, name=name)
        self.all.append(task)
        return task

    async def main(self):
        spec = self.program.get("objects", {})
        self.locks = [asyncio.Lock() for _ in range(spec.get("locks", 0))]
        self.sems = [asyncio.Semaphore(n) for n in spec.get("semaphores", [])]
        self.events = [asyncio.Event() for _ in range(spec.get("events", 0))]
        self.conds = [asyncio.Condition() for _ in range(spec.get("conditions", 0))]
        self.barriers = [asyncio.Barrier(n) for n in spec.get("barriers", [])]
        self.futures = [self.loop.create_future() for _ in range(spec.get("futures", 0))]
        kinds = {"fifo": asyncio.Queue, "lifo": asyncio.LifoQueue, "priority": asyncio.PriorityQueue}
        self.queues = [kinds[kind](size) for kind, size in spec.get("queues", [])]
        return await self.coroutine(self.program["main"])

    async def coroutine(self, ops):
        try:
            await self.ops(ops)
        except Return as r:
            return r.value

    async def ops(self, ops):
        for op in ops:
            await getattr(self, "op_" + op[0])(*op[1:])

    def coro(self, name):
        return self.coroutine(self.program["coros"][name])

    def names(self, tasks):
        return sorted(self.name(t) if isinstance(t, asyncio.Task) else "future" for t in tasks)

    # -- plain ---------------------------------------------------------
    async def op_log(self, word):
        self.log(word)

    async def op_sleep(self, delay):
        await asyncio.sleep(delay)

    async def op_return(self, value):
        raise Return(value)

    async def op_raise(self, message):
        raise UserError(message)

    async def op_repeat(self, times, ops):
        for _ in range(times):
            await self.ops(ops)

    async def op_call(self, name):
        """Awaits a coroutine in this task."""
        self.log("called", await self.coro(name))

    async def op_try(self, ops, handlers, final):
        """handlers: {"cancelled" | "timeout" | "user" | "group" | "any": ops}; a handler that ends in ["reraise"] raises again."""
        try:
            await self.ops(ops)
        except Return:
            raise
        except asyncio.CancelledError as e:
            await self.handle(e, handlers.get("cancelled"))
        except TimeoutError as e:
            await self.handle(e, handlers.get("timeout", handlers.get("any")))
        except UserError as e:
            await self.handle(e, handlers.get("user", handlers.get("any")))
        except BaseExceptionGroup as e:
            await self.handle(e, handlers.get("group", handlers.get("any")))
        except Exception as e:
            await self.handle(e, handlers.get("any"))
        finally:
            await self.ops(final)

    async def handle(self, error, ops):
        if ops is None:
            raise error
        self.log("caught", error)
        again = bool(ops) and ops[-1] == ["reraise"]
        await self.ops(ops[:-1] if again else ops)
        if again:
            raise error

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


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.version_info < (3, 13):
        sys.exit("oracle.py needs CPython 3.13 or newer (Queue.shutdown, as_completed)")
    with open(sys.argv[1]) as file:
        for line in file:
            program = json.loads(line)
            print(json.dumps({"id": program["id"], "trace": Program(program).run()}))


if __name__ == "__main__":
    main()
