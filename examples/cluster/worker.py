"""A worker in Python for the queue of examples/cluster.mjs: python worker.py redis://localhost:6379

Needs `pip install bullmq`. It was not run where this library is tested, which cannot install it; the protocol it follows is
written down in docs/cluster.md, and tested with a worker that is not of this library (test/system/bullmq).
"""

import asyncio
import os
import signal
import sys

from bullmq import Worker


async def render(page):
    await asyncio.sleep(0.05)
    return {"page": page, "worker": os.getpid()}


TASKS = {"render": render}


async def process(job, token):
    # An error that is raised here is the error of the job at the caller's: its message, and this stack.
    task = TASKS[job.name]
    if job.data.get("isChunk"):
        return [await task(arg) for arg in job.data["args"]]
    return await task(*job.data["args"])


async def main(url):
    stopped = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stopped.set)
    worker = Worker("pages", process, {"connection": url, "concurrency": 4})
    await stopped.wait()
    await worker.close()


asyncio.run(main(sys.argv[1]))
