"""Deadlines that hold whatever the other side does: a watchdog shuts the connection down.

A socket's timeout bounds one call, so a server that sends a byte a second renews it each time; and a server that floods
OpenSSL with records keeps it reading, so that no timeout is looked at again. A connection that is shut down ends
every read and write on it.
"""

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
        """Whether the watchdog came: what is read after that is not all there was to read."""
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        """Begin to watch."""
        _watchdog.watch(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching."""
        self.release()

    @property
    def left(self) -> float:
        """Return the seconds until then, 0 at least."""
        return max(self.at - time.monotonic(), 0)

    @property
    def has_socket(self) -> bool:
        """Return whether there is a socket to shut down."""
        return self._socket is not None

    def check(self) -> None:
        """Raise TimeoutError if the watchdog came."""
        if self.has_passed:
            raise TimeoutError("the deadline has passed")

    def bound(self, to: socket.socket) -> None:
        """Shut a socket down when the time has come.

        A descriptor of our own is kept: the socket's may be closed meanwhile, and its number be another's by then.
        """
        self._socket = socket.socket(to.family, to.type, to.proto, fileno=os.dup(to.fileno()))
        if self.has_passed:
            self.pass_()

    def release(self) -> None:
        """Release the socket: from here on another attempt may use it."""
        _watchdog.leave(self)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def pass_(self) -> None:
        """Shut the socket down, for the watchdog."""
        self.has_passed = True
        if self._socket is not None:
            # One that the other side has ended cannot be shut down, and need not be.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Watchdog:
    """One thread for all deadlines."""

    def __init__(self) -> None:
        self._watched: set[Deadline] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sleeps_until = 0.0

    def watch(self, deadline: Deadline) -> None:
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                # Where no thread can be started now, the next deadline tries again.
                thread.start()
                self._thread = thread
            self._watched.add(deadline)
            if deadline.at < self._sleeps_until:
                self._changed.notify()

    def leave(self, deadline: Deadline) -> None:
        """Stop watching; after this the socket may be closed, or be another's."""
        with self._changed:
            self._watched.discard(deadline)

    def _watch(self) -> None:
        with self._changed:
            while True:
                for deadline in [each for each in self._watched if not each.left]:
                    self._watched.discard(deadline)
                    deadline.pass_()
                self._sleeps_until = min((each.at for each in self._watched), default=float("inf"))
                self._changed.wait(min(self._sleeps_until - time.monotonic(), threading.TIMEOUT_MAX))


_watchdog = _Watchdog()
