"""Deliver as Lambda runs it when its code cannot be imported: it is given a batch, and the invocation fails.

Run by tests/support/deployment.py as `python -m tests.support.unimportable PORT QUEUE_URL NAME`, with a layer on
PYTHONPATH that lacks what the handler imports.
"""

import importlib
import sys
import time

from tests.support.processes import Queues

BATCH_SIZE, LONG_POLL = 10, 5.0


def main(port: int, url: str, name: str) -> None:
    if Queues(port).poll(url, BATCH_SIZE, LONG_POLL, name, time.process_time()):
        importlib.import_module("deliver")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
