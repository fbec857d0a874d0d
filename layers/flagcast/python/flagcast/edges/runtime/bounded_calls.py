"""Calls that must end by a deadline, whatever the other side does."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import Empty, SimpleQueue
from typing import Any


class _Threads:
    """Threads for calls, replaced when one of them may never come back."""

    def __init__(self) -> None:
        self._pool = self._make()

    def start[T](self, calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
        """Start every call."""
        pool = self._pool
        return [pool.submit(call) for call in calls]

    def leave_behind(self, futures: Sequence[Future[Any]]) -> None:
        """Give the next calls threads of their own: those of calls left behind are taken for as long as they last."""
        running = [future for future in futures if not future.done() and not future.cancel()]
        if running:
            self._pool = self._make()

    @staticmethod
    def _make() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=16, thread_name_prefix="within")


_threads = _Threads()


def within[T](deadline: float, calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
    """Start every call at the same time and wait until all are done or the deadline (monotonic seconds) is there.

    A call that is not done then is left behind: its future is not done, or cancelled. A socket's timeout bounds each
    read; only a deadline of our own bounds the whole, a service that sends a byte a second included.
    """
    futures = _threads.start(calls)
    # concurrent.futures.wait does the same and takes 50 us more, which is a twentieth of an event.
    done: SimpleQueue[Future[T]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    try:
        for _ in futures:
            done.get(timeout=max(deadline - time.monotonic(), 0))
    except Empty:
        _threads.leave_behind(futures)
    return futures


def finished(future: Future[Any]) -> bool:
    """Return whether a call came to an end of its own, good or bad."""
    return future.done() and not future.cancelled()


def beside(call: Callable[[], None], seconds: float, work: Callable[[], None]) -> None:
    """Do some work while a call is made, and wait for the call too, at most so many seconds from its start."""
    deadline = time.monotonic() + seconds
    [future] = _threads.start([call])
    try:
        work()
    finally:
        wait([future], timeout=max(deadline - time.monotonic(), 0))
        _threads.leave_behind([future])
