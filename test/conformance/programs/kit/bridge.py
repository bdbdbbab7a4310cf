"""What scripts/record.mjs calls, inside of the interpreter that npm's pyodide is. `generate` and `oracle` are those of
the language that is recorded."""
import gc
import json

import generate
import generating
import oracle


def generate_programs(numbers, only):
    """JSON texts of random programs; `only` names the ops they are made of, if not all."""
    generator = restricted(set(only.split(","))) if only else generate.Generator
    return (json.dumps(program) for program in generating.programs(generator, *map(int, numbers)))


def restricted(names):
    class Restricted(generate.Generator):
        def op(self, depth):
            while (op := super().op(depth))[0] not in names:
                pass
            return op

    return Restricted


def trace_of(line):
    """The trace as a JSON text; `null` if CPython itself does not get through the program."""
    program = oracle.Program(json.loads(line))
    trace = program.run()
    text = json.dumps(None if program.is_worthless() else trace)
    # What is left of a program is collected before the next one begins: its coroutines are closed then, their
    # cleanup runs, and a ["cancel_self"] in it would go to the task that is the current one.
    del program
    gc.collect()
    return text


gc.disable()
gc.freeze()
