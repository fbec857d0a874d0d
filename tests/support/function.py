"""The deliver function as a process, invoked as Lambda's event source mapping does: one batch after the other.

Run by tests/support/deployment.py as ``python -m tests.support.function PORT QUEUE_URL NAME``.
"""

import os
import sys
import time

import deliver
from tests.support.processes import Queues

BATCH_SIZE = 10
TIMEOUT = 45.0
"""Seconds, as in template.yaml."""
LONG_POLL = 5.0


class Context:
    """Lambda's context, from now on."""

    def __init__(self) -> None:
        self._end = time.monotonic() + TIMEOUT

    def get_remaining_time_in_millis(self) -> int:
        return round((self._end - time.monotonic()) * 1000)


def main(port: int, url: str, name: str) -> None:
    os.environ["FLAGCAST_VAR_PROCESS"] = str(os.getpid())
    queues = Queues(port)
    while True:
        if event := queues.poll(url, BATCH_SIZE, LONG_POLL, name, time.process_time()):
            queues.settle(url, name, deliver.handler(event, Context()))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
