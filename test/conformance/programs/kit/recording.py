"""What the oracles of all languages share: the loop that a program runs on, and its trace.

The loop is CPython's own BaseEventLoop; only its clock is virtual: when nothing is ready, time jumps to the next
timer. Where CPython leaves an order undefined, the order of making is pinned: the tasks of a TaskGroup and of
as_completed (sets, in memory address order) and timers due at the same instant (in binary heap order).
"""
import asyncio
import asyncio.taskgroups
import asyncio.tasks
import json
import re
import sys

from virtual_loop import VirtualLoop

WATCHDOG = 1000  # virtual seconds after which whatever still runs is cancelled
# A task may catch it, and wait for something else that never comes: it is cancelled so often, with a pause between.
WATCHDOG_ROUNDS = 20
WATCHDOG_PAUSE = 100
MAX_EVENTS = 400  # a trace stops growing here
MAX_TURNS = 10000  # a program that takes more is left out

# What a trace shows of an error that makes it worthless; where it is raised, `notice` has not always seen it.
FLAW = re.compile(r"\b(Runtime|Recursion|Attribute)Error")


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


class BoundedLoop(VirtualLoop):
    """A loop that ends when it spins."""

    def __init__(self):
        super().__init__()
        self.turns = 0

    def _run_once(self):
        self.turns += 1
        if self.turns > MAX_TURNS:
            raise RuntimeError("the loop spins")
        super()._run_once()


class UserError(Exception):
    pass


class Return(Exception):
    """Unwinds a coroutine of the program: its ["return", v]."""

    def __init__(self, value):
        self.value = value


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


class Recording:
    """One run of one program: its tasks, its trace, and the ops that every language has."""

    def __init__(self, program):
        self.program = program
        self.trace = []
        self.all = []  # every task made, in order
        # Errors that make the trace worthless, those too that another error then hides.
        self.flaws = []

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

    def names(self, futures):
        return sorted(self.name(f) if isinstance(f, asyncio.Task) else "future" for f in futures)

    # -- running -------------------------------------------------------
    def run(self):
        self.loop = loop = BoundedLoop()
        asyncio.events.set_event_loop(loop)
        if self.program.get("eager"):
            loop.set_task_factory(asyncio.eager_task_factory)
        loop.set_exception_handler(self.handler)
        try:
            main = self.task(self.main(), "main")
            self.main_made(main)
            loop.call_later(WATCHDOG, self.watchdog, WATCHDOG_ROUNDS)
            loop.run_until_complete(asyncio.wait([main]))
            self.outcome(main)
            self.cancel_all()
            rest = [t for t in self.all if not t.done()]
            if rest:
                loop.run_until_complete(asyncio.wait(rest))
            for task in self.all:
                if task is not main:
                    self.outcome(task)
            self.other_outcomes()
        except RuntimeError as error:
            self.trace.append("loop: " + str(error))
            if not str(error).startswith("deadlock"):
                self.flaws.append(error)
        finally:
            for task in self.all:
                task._log_destroy_pending = False
            loop.close()
        return self.trace

    def handler(self, loop, context):
        # what garbage collection finds depends on the collector, and is not compared
        if "never retrieved" not in context["message"] and "destroyed" not in context["message"]:
            self.notice(context.get("exception"))
            self.log("handler", context.get("exception"))

    def is_worthless(self):
        """CPython itself does not get through the program, and its trace says nothing."""
        return bool(self.flaws) or any(FLAW.search(event) for event in self.trace)

    def notice(self, error):
        """RuntimeError and AttributeError show flaws of CPython's, RecursionError where its stack ends."""
        if isinstance(error, (RuntimeError, AttributeError)) and not isinstance(error, asyncio.BrokenBarrierError):
            self.flaws.append(error)

    def watchdog(self, rounds):
        self.log("watchdog")
        self.cancel_all()
        if rounds > 1:
            self.loop.call_later(WATCHDOG_PAUSE, self.watchdog, rounds - 1)

    def cancel_all(self):
        for task in self.all:
            if not task.done():
                task.cancel()

    def other_outcomes(self):
        """Tells the outcomes of what is no task."""

    def outcome(self, future, name=None):
        self.trace.append(f"end {name or self.name(future)} {self.end(future)}")

    def end(self, task):
        """How a task or future ended, if it has."""
        if not task.done():
            return "pending"
        if task.cancelled():
            return "cancelled"
        if task.exception() is not None:
            self.notice(task.exception())
            return "raised " + show(task.exception())
        return "returned " + show(task.result())

    def task(self, coro, name, **options):
        task = self.loop.create_task(coro, name=name, **options)
        self.all.append(task)
        return task

    async def main(self):
        self.make_objects()
        return await self.coroutine(self.program["main"])

    def main_made(self, main):
        """Main exists and has not begun."""

    def make_objects(self):
        """Makes what the program's tasks share."""

    async def coroutine(self, ops):
        try:
            await self.ops(ops)
        except Return as r:
            return r.value

    async def ops(self, ops):
        try:
            for name, *args in ops:
                instant = getattr(self, "act_" + name, None)
                if instant:
                    instant(*args)
                else:
                    await getattr(self, "op_" + name)(*args)
        except Exception as error:
            self.notice(error)
            raise

    def act(self, ops):
        """Does ops that never wait, outside of any coroutine."""
        for name, *args in ops:
            getattr(self, "act_" + name)(*args)

    def coro(self, name):
        return self.coroutine(self.program["coros"][name])

    # -- the ops of every language: "act" if it never waits, "op" if it may
    def act_log(self, word):
        self.log(word)

    def act_return(self, value):
        raise Return(value)

    def act_raise(self, message):
        raise UserError(message)

    async def op_sleep(self, delay):
        await asyncio.sleep(delay)

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


def main(program_class, usage):
    """The command line of an oracle."""
    if len(sys.argv) != 2:
        sys.exit(usage)
    if sys.version_info < (3, 14):
        sys.exit("the oracles need CPython 3.14")
    with open(sys.argv[1]) as file:
        for line in file:
            program = json.loads(line)
            print(json.dumps({"id": program["id"], "trace": program_class(program).run()}))
