"""Events that keep coming while something else is under way."""

import threading
from collections.abc import Callable
from typing import Self

from flagcast_cli.console import CommandError

PAUSE = 0.5
PATIENCE = 300


class Traffic:
    """Sends numbered events, one after the other, from entering its context to leaving it."""

    def __init__(self, send: Callable[[int], object]) -> None:
        self._send = send
        self._changed = threading.Condition()
        self._is_over = False
        self._error: CommandError | None = None
        self._thread = threading.Thread(target=self._go, name="traffic")
        self.sent = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join()
        if self._error and kind is None:
            raise self._error

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more were accepted; raises CommandError if one was not."""
        with self._changed:
            wanted = self.sent + count
            if not self._changed.wait_for(lambda: self.sent >= wanted or self._error, PATIENCE):
                raise CommandError(f"{count} events were not accepted within {PATIENCE} s")

    def _go(self) -> None:
        while not self._is_over:
            try:
                self._send(self.sent)
            except CommandError as error:
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return
            with self._changed:
                self.sent += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._is_over, PAUSE)
