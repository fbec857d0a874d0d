"""What follows from an outcome: one pure decision."""

from typing import assert_never

from msgspec import Struct

from flagcast.core.config.model import Retry
from flagcast.core.duration import HOUR
from flagcast.core.outcomes import (
    Answered,
    Decision,
    DependencyFailed,
    Done,
    Faulty,
    Filtered,
    FilterFailed,
    GiveUp,
    Newer,
    NotAccepted,
    Outcome,
    RenderFailed,
    RetryIn,
    UnknownDestination,
    Unreachable,
    Unreadable,
)
from flagcast.core.retry import LONGEST_STAY, MOST_RECEIVES, PUT_OFF, Random, Wear, backoff, jittered

UNKNOWN_FOR = 2 * HOUR
"""How long a task waits for a deploy or rollback to bring its destination or version: the functions shift apart."""

RETRIED = frozenset({408, 425, 429})
GONE = 410


class Circumstances(Struct, frozen=True):
    """What a decision needs to know of the task besides the outcome.

    `attempts` is its receive count and `first_attempt` its first receive (epoch seconds).
    """

    wear: Wear
    attempts: int
    first_attempt: float


def overdue(wear: Wear) -> GiveUp | None:
    """Tell whether a task must leave the queue before anything else is asked about it."""
    if wear.queued >= LONGEST_STAY:
        return GiveUp("expired", "13 days on the queue")
    if wear.receives >= MOST_RECEIVES:
        return GiveUp("exhausted", f"received {wear.receives} times")
    return None


def decide(outcome: Outcome, task: Circumstances, policy: Retry, now: float, random: Random) -> Decision:
    """Decide what follows from an outcome; the table is in docs/architecture.md.

    `now` is in epoch seconds.
    """
    match outcome:
        case Answered(status) if 200 <= status <= 299:
            return Done()
        case Answered(status) if status < 200 or status in RETRIED or status >= 500 or status in policy.retry_on:
            return _again(outcome, task, policy, now, random)
        case Answered(status, excerpt=excerpt):
            return GiveUp("gone" if status == GONE else "rejected", excerpt, status)
        case NotAccepted(status, detail):
            return GiveUp("rejected", detail, status)
        case Unreachable():
            return _again(outcome, task, policy, now, random)
        case Filtered():
            return Done()
        case RenderFailed(detail):
            return GiveUp("render_failed", detail)
        case FilterFailed(detail):
            return GiveUp("filter_failed", detail)
        case Unreadable(detail):
            return GiveUp("unreadable", detail)
        case UnknownDestination() if task.wear.queued >= UNKNOWN_FOR:
            return GiveUp("unknown_destination")
        case Newer(version) if task.wear.queued >= UNKNOWN_FOR:
            return GiveUp("unreadable", f"task version {version} is newer than this deployment")
        case UnknownDestination() | Newer() | Faulty() | DependencyFailed():
            return RetryIn(jittered(PUT_OFF, random))
    assert_never(outcome)


def _again(
    outcome: Answered | Unreachable, task: Circumstances, policy: Retry, now: float, random: Random
) -> RetryIn | GiveUp:
    given_up, retry_after = (
        (GiveUp("expired", outcome.excerpt, outcome.status), outcome.retry_after)
        if isinstance(outcome, Answered)
        else (GiveUp("expired", outcome.cause), None)
    )
    if now - task.first_attempt >= policy.max_backoff_duration:
        return given_up
    return RetryIn(backoff(policy, task.attempts, random, retry_after))
