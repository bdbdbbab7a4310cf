"""What the generators of all languages share: weighted choices, words, and the command line."""
import json
import random
import sys


class Generator:
    """Makes one program of about `size` ops a block. A language says with `choices` which ops there are."""

    def __init__(self, rng, size):
        self.rng, self.size = rng, size
        self.words = 0

    def program(self, number):
        raise NotImplementedError

    def choices(self, depth):
        """The ops that may stand at this depth: a weight and a function that makes one, for each."""
        raise NotImplementedError

    def op(self, depth):
        return self.choose(self.choices(depth))

    def choose(self, choices):
        return self.rng.choices([make for _, make in choices], [weight for weight, _ in choices])[0]()

    def word(self):
        self.words += 1
        return f"w{self.words}"

    def block(self, length, depth):
        return [self.op(depth) for _ in range(length)]

    def inner(self, depth):
        return self.block(self.rng.randint(1, 3), depth + 1)

    def try_op(self, depth):
        handlers = {}
        for kind in ("cancelled", "timeout", "user", "group", "any"):
            if self.rng.random() < 0.4:
                handlers[kind] = self.inner(depth) if self.rng.random() < 0.7 else []
                if self.rng.random() < 0.4:
                    handlers[kind].append(["reraise"])
        final = self.inner(depth) if self.rng.random() < 0.4 else []
        return ["try", self.inner(depth), handlers, final]


def programs(generator_class, seed, count, size=6):
    """The programs of a seed: always the same."""
    for number in range(count):
        rng = random.Random(seed * 1_000_003 + number)
        yield generator_class(rng, size).program(f"{seed}-{number}")


def main(generator_class, usage):
    """The command line of a generator."""
    if len(sys.argv) not in (3, 4):
        sys.exit(usage)
    for program in programs(generator_class, *map(int, sys.argv[1:])):
        print(json.dumps(program))
