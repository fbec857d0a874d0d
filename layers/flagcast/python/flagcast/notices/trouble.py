"""When a destination is in trouble: what shows it, in one value, and when the trouble is over."""

from typing import Literal

from msgspec import Struct

from flagcast.config.model import Retry
from flagcast.delivery.decision import rest_of
from flagcast.primitives.duration import MINUTE
from flagcast.tasks.outcomes import Answered, Faulty, GiveUp, NotNow, Outcome, Unreachable

LONGEST_EXCERPT = 300
"""Characters of an answer that a notice quotes."""

SHORTEST = 30
"""Seconds that a trouble lasts at least: a destination that rejects every other event causes one notice, not many.

Shorter than a circuit stays open, so that the first delivery after an outage ends it.
"""

LONG_REST = 15 * MINUTE
"""Seconds of rest that a destination asks for and that cause a notice: until they are over nothing is sent to it."""

Reason = Literal[
    "circuit_open",
    "resting",
    "faulty",
    "rejected",
    "gone",
    "expired",
    "exhausted",
    "crashed",
    "render_failed",
    "filter_failed",
    "blocked_address",
]
RETRIED: frozenset[Reason] = frozenset({"circuit_open", "resting", "faulty"})
"""Troubles in which deliveries wait; of all others there is a dead letter."""


class Trouble(Struct, frozen=True):
    """What is known of a trouble; `since` in whole epoch seconds, `status` and `excerpt` of the last answer.

    Secrets are taken out of an answer before it comes here.
    """

    reason: Reason
    since: int
    status: int | None = None
    excerpt: str = ""


class Known(Struct, frozen=True):
    """A trouble as the state table has it, and whether the notice of it is queued."""

    trouble: Trouble
    is_told: bool


def of_outcome(outcome: Outcome, policy: Retry, now: float, *, has_opened: bool) -> Trouble | None:
    """Return the trouble that an outcome shows; `has_opened` means that the circuit opened with this outcome or one
    beside it. An answer that is retried and may yet succeed is none, unless it asks for a long rest.
    """
    match outcome:
        case Faulty(detail):
            return _trouble("faulty", now, None, detail)
        case Answered(status, excerpt=excerpt) if has_opened:
            return _trouble("circuit_open", now, status, excerpt)
        case Unreachable(cause) if has_opened:
            return _trouble("circuit_open", now, None, f"no answer: {cause}")
        case Answered(status, excerpt=said) | NotNow(status, detail=said):
            seconds = rest_of(outcome, policy) or 0
            asks = f"Retry-After: {seconds:.0f} s. {said}"
            return _trouble("resting", now, status, asks) if seconds >= LONG_REST else None
        case _:
            return None


def of_dead_letter(given_up: GiveUp, now: float) -> Trouble | None:
    """Return the trouble that a dead letter shows; None where the reason is the message's own, not the destination's.

    A destination that is not in the configuration has no one to fix it, so `unknown_destination` is none either.
    """
    match given_up.reason:
        case "unknown_destination" | "unreadable" | "body_missing" | "invalid_event":
            return None
        case reason:
            return _trouble(reason, now, given_up.status, given_up.detail)


def is_delivery(outcome: Outcome) -> bool:
    """Return whether the destination took an event."""
    return isinstance(outcome, Answered) and outcome.is_delivery


def is_over(trouble: Trouble, delivered_at: float) -> bool:
    """Return whether a delivery (epoch seconds) ends a trouble."""
    return delivered_at >= trouble.since + SHORTEST


def _trouble(reason: Reason, now: float, status: int | None, excerpt: str) -> Trouble:
    return Trouble(reason, int(now), status, excerpt[:LONGEST_EXCERPT])
