"""What can come of looking at a task, and what can be done with it: values, matched exhaustively."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from flagcast.primitives.render_failure import RenderFailed

Reason = Literal[
    "rejected",
    "gone",
    "expired",
    "exhausted",
    "render_failed",
    "filter_failed",
    "unknown_destination",
    "unreadable",
    "body_missing",
    "crashed",
    "invalid_event",
    "blocked_address",
]


class Answered(Struct, frozen=True):
    """The destination answered; `retry_after` in seconds, `excerpt` the answer's first characters.

    `headers` are there until `retry.when` and `accept` have been asked. `is_accepted` means that `accept` holds for an
    answer that is no 2xx.
    """

    status: int
    retry_after: float | None = None
    excerpt: str = ""
    headers: Mapping[str, str] = {}
    is_accepted: bool = False

    @property
    def is_delivery(self) -> bool:
        """Return whether the destination took the event."""
        return self.is_accepted or 200 <= self.status <= 299


class NotAccepted(Struct, frozen=True):
    """The destination answered 2xx, but not as its `accept` wants it."""

    status: int
    detail: str


class NotNow(Struct, frozen=True):
    """The destination answered that it does not take the event now, as its `retry.when` says."""

    status: int
    retry_after: float | None
    detail: str


class Unreachable(Struct, frozen=True):
    """No answer came."""

    cause: Literal["connection", "name", "tls", "timeout", "protocol", "address"]


class BlockedAddress(Struct, frozen=True):
    """No address of the destination's may be connected to: no request was made."""

    detail: str


class Filtered(Struct, frozen=True):
    """The destination does not want this event: no request was made."""


class FilterFailed(Struct, frozen=True):
    """The destination's `when` could not be answered for the event."""

    detail: str


class UnknownDestination(Struct, frozen=True):
    """The configuration does not know the destination."""


class Newer(Struct, frozen=True):
    """A later version of Flagcast wrote the task."""

    version: int


class Unreadable(Struct, frozen=True):
    """The message is no task, or its body no event."""

    detail: str


class Faulty(Struct, frozen=True):
    """The destination's configuration has a problem, or there is no configuration that can be read."""

    detail: str


class BodyMissing(Struct, frozen=True):
    """The body that the task refers to is not stored any more."""


class Paused(Struct, frozen=True):
    """The destination is paused."""


class Throttled(Struct, frozen=True):
    """The destination has had its share for now; the task has a slot at a time (epoch seconds)."""

    until: float


class Slowed(Struct, frozen=True):
    """The destination asked for rest until a time (epoch seconds)."""

    until: float


class CircuitOpen(Struct, frozen=True):
    """The destination failed too often in a row, and is left alone for a while."""


class DependencyFailed(Struct, frozen=True):
    """A secret, a parameter or a stored body could not be had."""

    detail: str


Outcome = (
    Answered
    | NotAccepted
    | NotNow
    | Unreachable
    | BlockedAddress
    | Filtered
    | RenderFailed
    | FilterFailed
    | UnknownDestination
    | Newer
    | Unreadable
    | BodyMissing
    | Faulty
    | Paused
    | Throttled
    | Slowed
    | CircuitOpen
    | DependencyFailed
)

Attempted = Answered | NotAccepted | NotNow | Unreachable
"""A request was made: these count as attempts."""


class Done(Struct, frozen=True):
    """The task leaves the queue."""


class RetryIn(Struct, frozen=True):
    """The task stays and is seen again after so many seconds; `to_slot` if that is when a slot of its own comes."""

    seconds: float
    to_slot: bool = False


class GiveUp(Struct, frozen=True):
    """The task moves to the dead-letter queue."""

    reason: Reason
    detail: str = ""
    status: int | None = None


Decision = Done | RetryIn | GiveUp
