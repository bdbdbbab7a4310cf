"""The loop of the golden traces, and the log of its programs: `turn:words`.

A program is a function whose name begins with a letter and a number, such as A01_. A coroutine function is the main
coroutine of the loop; any other function receives a loop that is not running, and runs it as it likes.
"""

import asyncio
import gc
import inspect
import re

from virtual_loop import VirtualLoop


class TraceLoop(VirtualLoop):
    """A loop in virtual time that counts its turns: iterations of `_run_once`, the first of which is 1."""

    turns = 0

    def _run_once(self):
        self.turns += 1
        super()._run_once()


def record(module):
    """The traces of all programs of a module, by name."""
    names = [name for name in vars(module) if re.match(r"[A-Z]\d\d_", name)]
    return {name: trace_of(getattr(module, name)) for name in names}


def trace_of(program):
    """The lines that one program logs. Only garbage that the program collects itself is collected meanwhile."""
    global loop
    loop = TraceLoop()
    loop.set_exception_handler(report)
    lines.clear()
    gc.disable()
    try:
        if inspect.iscoroutinefunction(program):
            loop.run_until_complete(program())
            log("run_until_complete returned")
        else:
            program(loop)
        return lines.copy()
    finally:
        loop.close()
        gc.enable()
        gc.collect()


loop = None
lines = []


def log(*words):
    """Writes a line of the trace."""
    lines.append(f"{loop.turns}:{' '.join(map(str, words))}")


def report(_loop, context):
    """Logs what the loop reports. Where a callback was defined depends on this file's layout, and is not compared."""
    message = re.sub(r" at \S+:\d+$", " at FILE:LINE", context["message"])
    log("EXCHANDLER", message, repr(context.get("exception")))
