#!/usr/bin/env python3
"""Write random programs of the language `interplay`, one JSON object a line.

usage: generate.py SEED COUNT [SIZE] > PROGRAMS.jsonl
"""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kit"))
import generating

WHEN = ["ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION"]
MAX_DEPTH = 3


class Generator(generating.Generator):
    """Each program is made of other ops than the next, likes some of them more, and knows few names and few instants:
    so that its tasks meet, and so that what is rare in one program is frequent in another."""

    def __init__(self, rng, size):
        super().__init__(rng, size)
        self.factors = {}
        self.delays = rng.choice([[0, 1], [1], [0, 0, 1, 2], [0, 1, 2, 3]])
        self.names = [f"c{i}" for i in range(rng.randint(1, 4))]
        self.tasks = [f"t{i}" for i in range(rng.randint(1, 4))]
        self.futures = ["f0", "f1"][:rng.randint(1, 2)]
        self.made = ["m0", "m1", "m2"][:rng.randint(1, 3)]  # gathers, shields, waits
        self.deadlines = [f"d{i}" for i in range(rng.randint(1, 2))]
        self.groups = [f"g{i}" for i in range(rng.randint(1, 2))]

    def program(self, number):
        program = {"id": number, "coros": {}}
        if self.rng.random() < 0.06:
            program["eager"] = True
        for i, name in enumerate(self.names):
            # a coroutine calls only later ones, so that no program recurses
            self.callable = self.names[i + 1:]
            program["coros"][name] = self.block(self.rng.randint(1, self.size), 0)
        self.callable = self.names
        begin = [["future", slot] for slot in self.futures]
        begin += [["spawn", slot, self.rng.choice(self.names), {}] for slot in self.tasks if self.rng.random() < 0.8]
        if self.rng.random() < 0.3:
            begin = [["set_var", 0, 1], ["copy_context", "x0"]] + begin
        script = [["at", self.handle(), self.delay(), self.actions(1)] for _ in range(self.rng.randint(0, 5))]
        program["main"] = begin + script + self.block(self.rng.randint(1, self.size + 2), 0)
        return program

    def choose(self, choices):
        weights = [weight * self.factor(name) for weight, name, _ in choices]
        _, name, arguments = self.rng.choices(choices, weights)[0]
        return [name] + arguments()

    def factor(self, name):
        """How much this program likes an op."""
        if name not in self.factors:
            self.factors[name] = self.rng.choice([0.001, 0.3, 1, 1, 4])
        return self.factors[name]

    # -- pieces --------------------------------------------------------
    def delay(self):
        return self.rng.choice(self.delays)

    def handle(self):
        return self.rng.choice(["h0", "h1"])

    def timeout(self):
        return None if self.rng.random() < 0.15 else self.delay()

    def target(self):
        """Mostly tasks, since they can be cancelled, counted and waited for."""
        r = self.rng.random()
        if r < 0.5:
            return self.rng.choice(self.tasks)
        return self.rng.choice(self.made if r < 0.75 else self.futures) if r < 0.92 else "main"

    def doer(self):
        """A task to cancel or to ask for its count."""
        return "self" if self.rng.random() < 0.2 else self.target()

    def some(self):
        return [self.target() for _ in range(self.rng.randint(1, 3))]

    def message(self):
        return [self.word()] if self.rng.random() < 0.4 else []

    def context(self):
        return ["x0"] if self.rng.random() < 0.1 else []

    def spawn(self, options):
        return [self.rng.choice(self.tasks), self.rng.choice(self.callable), options]

    def spawn_options(self):
        kind = self.rng.random()
        if kind < 0.5:
            return {"group": self.rng.choice(self.groups)}
        if kind < 0.6:
            return {"context": "x0"}
        return {"eager": True} if kind < 0.64 else {}

    # -- ops that never wait -------------------------------------------
    def instants(self, depth):
        r = self.rng
        choices = [
            (3, "log", lambda: [self.word()]),
            (6, "cancel", lambda: [self.doer()] + self.message()),
            (2.5, "uncancel", lambda: [self.doer()]),
            (1.5, "cancelling", lambda: [self.doer()]),
            (1.5, "state", lambda: [self.target()]),
            (2.5, "set", lambda: [r.choice(self.futures), r.randint(0, 9)]),
            (1, "fail", lambda: [r.choice(self.futures), self.word()]),
            (0.5, "future", lambda: [r.choice(self.futures)]),
            (2, "gather", lambda: [r.choice(self.made), self.some(), r.random() < 0.4]),
            (2, "shield", lambda: [r.choice(self.made), self.target()]),
            (1.5, "wait_for", lambda: [r.choice(self.made), self.target(), self.timeout()]),
            (1, "wait", lambda: [r.choice(self.made), self.some(), r.choice(WHEN), self.timeout()]),
            (3.5, "reschedule", lambda: [r.choice(self.deadlines), self.timeout()]),
            (0.7, "deadline_state", lambda: [r.choice(self.deadlines)]),
            (2, "cancel_owner", lambda: [r.choice(self.deadlines + self.groups)] + self.message()),
            (1, "put", lambda: [r.randint(0, 9)]),
            (0.4, "unschedule", lambda: [self.handle()]),
            (0.4, "off_done", lambda: [self.target(), r.choice(["k0", "k1"])]),
            (1, "set_var", lambda: [r.randrange(2), r.randint(0, 9)]),
            (1, "get_var", lambda: [r.randrange(2)]),
            (0.7, "reset_var", lambda: [r.randrange(2)]),
            (0.5, "copy_context", lambda: ["x0"]),
        ]
        if depth < MAX_DEPTH:
            choices += [
                (1.5, "soon", lambda: [self.handle(), self.actions(depth)] + self.context()),
                (3, "at", lambda: [self.handle(), self.delay(), self.actions(depth)] + self.context()),
                (2.5, "on_done", lambda: [self.target(), r.choice(["k0", "k1"]), self.actions(depth)] + self.context()),
                (0.7, "run_in", lambda: ["x0", self.actions(depth)]),
            ]
        if self.callable and depth < MAX_DEPTH:
            choices.append((3, "spawn", lambda: self.spawn(self.spawn_options())))
        return choices

    def actions(self, depth):
        """What a callback does."""
        ops = [self.choose(self.instants(depth + 1)) for _ in range(self.rng.randint(1, 3))]
        return ops + [["raise", self.word()]] if self.rng.random() < 0.05 else ops

    # -- all ops -------------------------------------------------------
    def choices(self, depth):
        r = self.rng
        choices = self.instants(depth) + [
            (12, "sleep", lambda: [self.delay()]),
            (8, "await", lambda: [self.target()]),
            (2, "await_gather", lambda: [self.some(), r.random() < 0.4]),
            (2, "await_shield", lambda: [self.target()]),
            (3, "await_wait_for", lambda: [self.target(), self.timeout()]),
            (1.5, "await_wait", lambda: [self.some(), r.choice(WHEN), self.timeout()]),
            (1, "await_as_completed", lambda: [self.some(), self.timeout()]),
            (1, "get", lambda: []),
            (1, "cond_wait", lambda: []),
            (1, "cond_notify", lambda: [r.randint(1, 2)]),
            (0.7, "return", lambda: [r.randint(0, 9)]),
            (1.5, "raise", lambda: [self.word()]),
        ]
        if depth < MAX_DEPTH:
            choices += [
                (8, "deadline", lambda: [r.choice(self.deadlines), self.timeout(), self.inner(depth)]),
                (7, "group", lambda: self.group(depth)),
                (8, "try", lambda: self.try_op(depth)[1:]),
                (2, "hold", lambda: [self.inner(depth)]),
                (0.7, "repeat", lambda: [2, self.inner(depth)]),
            ]
        if self.callable and depth < MAX_DEPTH:
            choices += [
                (1.5, "call", lambda: [r.choice(self.callable)]),
                (2, "wait_for_call", lambda: [r.choice(self.callable), self.timeout()]),
            ]
        return choices

    def group(self, depth):
        name = self.rng.choice(self.groups)
        spawns = [["spawn"] + self.spawn({"group": name}) for _ in range(self.rng.randint(0, 2))] if self.callable else []
        return [name, spawns + self.inner(depth)]


if __name__ == "__main__":
    generating.main(Generator, __doc__)
