"""Calls that must end by a deadline, whatever the other side does."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from queue import Empty, SimpleQueue

from flagcast.primitives.kept_threads import KeptThreads

_THREADS = KeptThreads("within")


def within[T](deadline: float, calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
    """Start every call at the same time and wait until all are done or the deadline (monotonic seconds) is there.

    A call that is not done then is left behind: its future is not done, and its thread is taken for as long as it
    lasts. A socket's timeout bounds each read; only a deadline of our own bounds the whole, a service that sends a byte
    a second included.
    """
    futures = [_THREADS.start(call) for call in calls]
    # concurrent.futures.wait does the same and takes 50 us more, which is a twentieth of an event.
    done: SimpleQueue[Future[T]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    with suppress(Empty):  # The futures tell which were not done in time.
        for _ in futures:
            done.get(timeout=max(deadline - time.monotonic(), 0))
    return futures


def beside(call: Callable[[], None], seconds: float, work: Callable[[], None]) -> None:
    """Do some work while a call is made, and wait for the call too, at most so many seconds from its start."""
    deadline = time.monotonic() + seconds
    future = _THREADS.start(call)
    try:
        work()
    finally:
        wait([future], timeout=max(deadline - time.monotonic(), 0))
