"""Deadlines that hold whatever the other side does: a watchdog shuts the connection down.

A socket's timeout bounds one call, so a server that sends a byte a second renews it each time; and a server that floods
OpenSSL with records keeps it reading, so that no timeout is looked at again. A connection that is shut down gives no
more bytes, to whoever is reading.
"""

import heapq
import itertools
import os
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """Bounds what is done on a socket, in a `with` block, by a time (monotonic seconds)."""

    def __init__(self, at: float) -> None:
        """Keep the time."""
        self.at = at
        self.has_passed = False
        """Whether the watchdog came: what was read after that is not all there was to read."""
        self.is_over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Begin to watch."""
        _watchdog.watch(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching."""
        with self._lock:
            self.is_over = True
            self._forget()

    @property
    def left(self) -> float:
        """Return the seconds until then, 0 at least."""
        return max(self.at - time.monotonic(), 0)

    def check(self) -> None:
        """Raise TimeoutError if the watchdog came."""
        if self.has_passed:
            raise TimeoutError("the deadline has passed")

    @property
    def has_socket(self) -> bool:
        """Tell whether a socket is bounded."""
        return self._socket is not None

    def bound(self, to: socket.socket) -> None:
        """Shut a socket down when the time has come, in place of the one before.

        A descriptor of our own is kept: the socket's may be closed meanwhile, and its number be another's by then.
        """
        with self._lock:
            self._forget()
            self._socket = socket.socket(to.family, to.type, to.proto, fileno=os.dup(to.fileno()))
            if self.has_passed:
                self._shut_down()

    def pass_by(self) -> None:
        """Shut the socket down, unless nothing is done on it any more; for the watchdog."""
        with self._lock:
            if not self.is_over:
                self.has_passed = True
                self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            # One that the other side has closed cannot be, and need not be.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Watchdog:
    """One thread for all deadlines; it sleeps until the earliest that something is still bound to."""

    def __init__(self) -> None:
        self._deadlines: list[tuple[float, int, Deadline]] = []
        self._numbers = itertools.count()
        self._earlier = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, deadline: Deadline) -> None:
        with self._earlier:
            entry = (deadline.at, next(self._numbers), deadline)
            heapq.heappush(self._deadlines, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
            elif self._deadlines[0] is entry:
                self._earlier.notify()

    def _watch(self) -> None:
        while True:
            self._next().pass_by()

    def _next(self) -> Deadline:
        """Wait for the next deadline that has come; those of what is over go unnoticed."""
        with self._earlier:
            while True:
                while self._deadlines and self._deadlines[0][2].is_over:
                    heapq.heappop(self._deadlines)
                if not self._deadlines:
                    self._earlier.wait()
                elif left := self._deadlines[0][2].left:
                    self._earlier.wait(left)
                else:
                    return heapq.heappop(self._deadlines)[2]


_watchdog = _Watchdog()
