"""Threads that are kept from one call to the next.

concurrent.futures.ThreadPoolExecutor may take a busy thread for an idle one. A call then waits for another to end,
although it could have a thread of its own: https://github.com/python/cpython/issues/88354
"""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any

_Work = tuple[Future[Any], Callable[[], Any]]


class KeptThreads:
    """As many threads as there ever were calls at the same time."""

    def __init__(self, name: str) -> None:
        """Have none yet; each will have this name."""
        self.name = name
        self._idle: list[SimpleQueue[_Work]] = []

    def start[T](self, call: Callable[[], T]) -> Future[T]:
        """Make a call at once, on a thread that has no other; returns what it will come to."""
        future: Future[T] = Future()
        try:
            works = self._idle.pop()
        except IndexError:
            works = SimpleQueue()
            Thread(target=self._run, args=(works,), name=self.name, daemon=True).start()
        works.put((future, call))
        return future

    def _run(self, works: SimpleQueue[_Work]) -> None:
        while True:
            # In a function of its own, so that nothing of a call is kept until the next one.
            self._make(works, *works.get())

    def _make(self, works: SimpleQueue[_Work], future: Future[Any], call: Callable[[], Any]) -> None:
        # The thread is idle before its call is seen to be done: the next call may come at once.
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            self._idle.append(works)
            future.set_exception(error)
            del future  # The error's traceback knows this frame: together they would stay until garbage is collected.
        else:
            self._idle.append(works)
            future.set_result(result)
