"""What every twin does: warm up, measure once, print the value. The sizes come as JSON: [warm-up, size]."""

import asyncio
import gc
import json
import sys


def measure(program):
    warm_up, size = json.loads(sys.argv[1])
    asyncio.run(program(**warm_up))
    gc.collect()
    print(asyncio.run(program(**size)))
