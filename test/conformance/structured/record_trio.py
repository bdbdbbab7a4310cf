"""Random programs of scopes, groups, channels and limiters, and what trio does with them.

    python3 record_trio.py COUNT [FIRST_SEED] > recorded.json

A program is a tree of statements, which `interpreter.ts` runs with this library. Each task writes a trace: what it did,
and when, on a clock that jumps. trio draws lots about the order of tasks that are ready together: each program is run
with many seeds, and all that it may do is recorded. Times are drawn from a wide range, so that few programs have a choice.
"""

import json
import random
import sys

import trio
import trio.testing

END = 5000.0
ORDERS = 24


class Boom(Exception):
    pass


class Generator:
    """Draws a program."""

    def __init__(self, rng):
        self.rng = rng
        self.scopes = 0
        self.tasks = 0
        self.budget = rng.randint(6, 30)

    def seconds(self):
        return self.rng.randint(1, 60 * 1024) / 1024

    def body(self, depth):
        return [self.statement(depth) for _ in range(self.rng.randint(1, 4)) if self.spend()]

    def spend(self):
        self.budget -= 1
        return self.budget > 0

    def scope(self):
        self.scopes += 1
        return self.scopes

    def some_scope(self):
        return self.rng.randint(1, self.scopes + 1)

    def statement(self, depth):
        rng = self.rng
        simple = ["sleep"] * 6 + ["turn", "cancel", "cancel", "deadline", "shield", "raise", "effective"]
        simple += ["send", "send", "receive", "receive", "close", "set", "event"]
        nested = ["try"] * 4 + ["finally"] * 2 + ["moveOn"] * 5 + ["fail"] * 2 + ["shielded", "group", "group", "group", "limited"]
        kind = rng.choice(simple if depth == 0 else simple + nested)
        if kind == "sleep":
            return [kind, self.seconds()]
        if kind in ("turn", "effective", "set", "event"):
            return [kind]
        if kind == "raise":
            return [kind, rng.choice("ABC")]
        if kind == "cancel":
            return [kind, self.some_scope()]
        if kind == "deadline":
            return [kind, self.some_scope(), self.seconds()]
        if kind == "shield":
            return [kind, self.some_scope(), rng.random() < 0.6]
        if kind in ("send", "receive", "close"):
            return [kind, rng.choice([0, 0, 1])]
        if kind == "try":
            return [kind, self.body(depth - 1), self.body(depth - 1)]
        if kind == "finally":
            return [kind, self.body(depth - 1), self.body(depth - 1)]
        if kind in ("moveOn", "fail", "shielded"):
            scope = self.scope()
            return [kind, scope, self.seconds(), self.body(depth - 1)]
        if kind == "group":
            children = []
            for _ in range(rng.randint(1, 3)):
                self.tasks += 1
                children.append([f"t{self.tasks}", [["sleep", self.seconds()]] + self.body(depth - 1)])
            return [kind, children, self.body(depth - 1)]
        return [kind, self.body(depth - 1)]

    def program(self):
        return self.body(4)


def leaves(error):
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


NAMES = {
    trio.TooSlowError: "Timeout",
    trio.BrokenResourceError: "Broken",
    trio.ClosedResourceError: "Closed",
    trio.EndOfChannel: "End",
    RuntimeError: "RuntimeError",
}


def name_of(error):
    if isinstance(error, Boom):
        return error.args[0]
    return NAMES[type(error)]


def describe(error):
    names = {name_of(leaf) for leaf in leaves(error) if not isinstance(leaf, trio.Cancelled)}
    return "+".join(sorted(names)) if names else "Cancelled"


class Interpreter:
    def __init__(self):
        self.traces = {}
        self.scopes = {}
        self.channels = [trio.open_memory_channel(0), trio.open_memory_channel(1)]
        self.limiter = trio.CapacityLimiter(1)
        self.event = trio.Event()

    def log(self, task, text):
        self.traces.setdefault(task, []).append(f"{trio.current_time()} {text}")

    async def run(self, program):
        with trio.move_on_after(END):
            try:
                await self.body("main", program)
                self.log("main", "ended")
            except BaseException as error:
                self.log("main", f"raised {describe(error)}")
                if describe(error) == "Cancelled":
                    raise
        return self.traces

    async def body(self, task, statements):
        for statement in statements:
            await getattr(self, "do_" + statement[0])(task, *statement[1:])

    async def do_sleep(self, task, seconds):
        await trio.sleep(seconds)
        self.log(task, "slept")

    async def do_turn(self, task):
        await trio.sleep(0)
        self.log(task, "turned")

    async def do_raise(self, task, name):
        raise Boom(name)

    async def do_cancel(self, task, scope):
        if scope in self.scopes:
            self.scopes[scope].cancel()

    async def do_deadline(self, task, scope, seconds):
        if scope in self.scopes:
            self.scopes[scope].deadline = trio.current_time() + seconds

    async def do_shield(self, task, scope, shield):
        if scope in self.scopes:
            self.scopes[scope].shield = shield

    async def do_effective(self, task):
        deadline = trio.current_effective_deadline()
        self.log(task, f"effective {'past' if deadline <= trio.current_time() else deadline}")

    async def do_send(self, task, channel):
        await self.channels[channel][0].send(task)
        self.log(task, "sent")

    async def do_receive(self, task, channel):
        self.log(task, f"received {await self.channels[channel][1].receive()}")

    async def do_close(self, task, channel):
        self.channels[channel][0].close()

    async def do_set(self, task):
        self.event.set()
        self.event = trio.Event()

    async def do_event(self, task):
        await self.event.wait()
        self.log(task, "event")

    async def do_try(self, task, body, handler):
        try:
            await self.body(task, body)
        except BaseException as error:
            self.log(task, f"caught {describe(error)}")
            await self.body(task, handler)

    async def do_finally(self, task, body, cleanup):
        try:
            await self.body(task, body)
        finally:
            self.log(task, "finally")
            await self.body(task, cleanup)

    async def do_moveOn(self, task, scope, seconds, body):
        with trio.move_on_after(seconds) as inside:
            self.scopes[scope] = inside
            await self.body(task, body)
        self.log(task, f"left {scope} {inside.cancelled_caught}".replace("True", "cut").replace("False", "whole"))

    async def do_shielded(self, task, scope, seconds, body):
        with trio.move_on_after(seconds) as inside:
            inside.shield = True
            self.scopes[scope] = inside
            await self.body(task, body)
        self.log(task, f"left {scope} {inside.cancelled_caught}".replace("True", "cut").replace("False", "whole"))

    async def do_fail(self, task, scope, seconds, body):
        with trio.fail_after(seconds) as inside:
            self.scopes[scope] = inside
            await self.body(task, body)
        self.log(task, f"left {scope} whole")

    async def do_group(self, task, children, body):
        async with trio.open_nursery() as nursery:
            for child in children:
                nursery.start_soon(self.child, *child)
            await self.body(task, body)
        self.log(task, "joined")

    async def child(self, task, body):
        try:
            await self.body(task, body)
            self.log(task, "ended")
        except BaseException as error:
            self.log(task, f"raised {describe(error)}")
            raise

    async def do_limited(self, task, body):
        await self.limiter.acquire()
        self.log(task, "acquired")
        try:
            await self.body(task, body)
        finally:
            self.limiter.release()


def record(seed):
    program = Generator(random.Random(seed)).program()
    outcomes = []
    for order in range(ORDERS):
        trio._core._run._r.seed(order)
        clock = trio.testing.MockClock(autojump_threshold=0)
        traces = trio.run(Interpreter().run, program, clock=clock, strict_exception_groups=True)
        if traces not in outcomes:
            outcomes.append(traces)
    return {"seed": seed, "program": program, "outcomes": outcomes}


def main(count, first=1):
    print("[")
    for seed in range(first, first + count):
        print(json.dumps(record(seed), separators=(",", ":")), end=",\n" if seed + 1 < first + count else "\n")
    print("]")


main(*map(int, sys.argv[1:]))
