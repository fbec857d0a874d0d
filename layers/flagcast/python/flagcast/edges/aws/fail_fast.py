"""A client for calls that Flagcast can do without: it waits for them briefly, and once."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError

from flagcast.edges.runtime.bounded_calls import within

LONGEST_CALL = 1.0
"""Seconds; a service that sends a byte now and then passes every timeout of a socket's."""

LEFT_ALONE_FOR = 5.0
"""Seconds in which a service that did not answer is not asked again: ten tasks in a row would wait for it each time."""


class NoAnswer(BotoCoreError):
    """Raised when a call took too long."""

    fmt = "no answer in time"


class LeftAlone(BotoCoreError):
    """Raised instead of a call that is not made."""

    fmt = "did not answer a moment ago"


class FailFastClient:
    """Any client of botocore's; what does not answer raises BotoCoreError at once for a while."""

    def __init__(self, client: Any, monotonic: Callable[[], float], left_alone_for: float = LEFT_ALONE_FOR) -> None:
        """Keep the client, and for how long (seconds) it is left alone by which clock."""
        self._client = client
        self._monotonic = monotonic
        self._left_alone_for = left_alone_for
        self._left_alone_until = float("-inf")

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """Return an operation of the client's."""
        return partial(self._ask, getattr(self._client, operation))

    def _ask(self, call: Callable[..., Any], **arguments: Any) -> Any:
        if self._monotonic() < self._left_alone_until:
            raise LeftAlone
        [future] = within(time.monotonic() + LONGEST_CALL, [partial(call, **arguments)])
        try:
            if not future.done():
                raise NoAnswer
            return future.result()
        except BotoCoreError:
            self._left_alone_until = self._monotonic() + self._left_alone_for
            raise
