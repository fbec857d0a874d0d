"""What follows from an outcome: one pure decision."""

from typing import assert_never

from msgspec import Struct

from flagcast.config.model import Retry
from flagcast.delivery.retry_schedule import JITTER, LONGEST_STAY, MOST_RECEIVES, PUT_OFF, Random, backoff, jittered
from flagcast.primitives.duration import HOUR
from flagcast.primitives.render_failure import RenderFailed
from flagcast.tasks.outcomes import (
    Answered,
    BlockedAddress,
    BodyMissing,
    CircuitOpen,
    Decision,
    DependencyFailed,
    Done,
    Faulty,
    Filtered,
    FilterFailed,
    GiveUp,
    Newer,
    NotAccepted,
    NotNow,
    Outcome,
    Paused,
    RetryIn,
    Slowed,
    Throttled,
    UnknownDestination,
    Unreachable,
    Unreadable,
)
from flagcast.tasks.progress import MOST_STARTS
from flagcast.tasks.received_message import Wear

UNKNOWN_FOR = 2 * HOUR
"""How long a task waits for a deploy or rollback to bring its destination or version: the functions shift apart."""

RETRIED = frozenset({408, 425, 429})
GONE = 410
TOO_MANY = 429


class Circumstances(Struct, frozen=True):
    """What a decision needs to know of the task besides the outcome.

    `attempts` are those made, and `first_attempt` when the first was (epoch seconds); None if unknown, and
    then retrying does not end before the stay on the queue does.
    """

    wear: Wear
    attempts: int
    first_attempt: float | None


def overdue(wear: Wear, starts: int = 0) -> GiveUp | None:
    """Return whether a task must leave the queue before anything else is asked about it.

    `starts` is how often it was started and not known to have ended.
    """
    if starts >= MOST_STARTS:
        return GiveUp("crashed", f"the function ended {starts} times while it worked on this task")
    if wear.queued >= LONGEST_STAY:
        return GiveUp("expired", "13 days on the queue")
    if wear.receives >= MOST_RECEIVES:
        return GiveUp("exhausted", f"received {wear.receives} times")
    return None


def is_outage(outcome: Outcome) -> bool:
    """Return whether an outcome shows an outage: no answer, or a 5xx."""
    return isinstance(outcome, Unreachable) or (isinstance(outcome, Answered) and outcome.status >= 500)


def is_for_later(answer: Answered, policy: Retry) -> bool:
    """Return whether an answer by itself says that the event may be taken later.

    A 4xx that names a time to come again does: RFC 9110 section 15.5.14 says so of 413, GitHub of 403.
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    status = answer.status
    if status < 200 or status in RETRIED or status >= 500 or status in policy.retry_on:
        return True
    return status >= 400 and status != GONE and answer.retry_after is not None


def rest_of(outcome: Outcome, policy: Retry) -> float | None:
    """Return the seconds for which a destination asks to be left alone; None where it does not.

    What is not retried asks for nothing: a Retry-After beside a 2xx says when to look at what was made.
    """
    match outcome:
        case NotNow(retry_after=seconds):
            return seconds
        case Answered(status, seconds) if not outcome.is_delivery and is_for_later(outcome, policy):
            return seconds or (policy.initial_interval if status == TOO_MANY or seconds is not None else None)
        case _:
            return None


def decide(outcome: Outcome, task: Circumstances, policy: Retry, now: float, random: Random) -> Decision:
    """Decide what follows from an outcome; the table is in docs/architecture.md.

    `now` is in epoch seconds.
    """
    match outcome:
        case Answered() if outcome.is_delivery:
            return Done()
        case Answered() if is_for_later(outcome, policy):
            return _again(outcome, task, policy, now, random)
        case Answered(status, excerpt=excerpt):
            return GiveUp("gone" if status == GONE else "rejected", excerpt, status)
        case NotAccepted(status, detail):
            return GiveUp("rejected", detail, status)
        case NotNow() | Unreachable():
            return _again(outcome, task, policy, now, random)
        case BlockedAddress(detail):
            return GiveUp("blocked_address", detail)
        case Filtered():
            return Done()
        case RenderFailed(detail):
            return GiveUp("render_failed", detail)
        case FilterFailed(detail):
            return GiveUp("filter_failed", detail)
        case Unreadable(detail):
            return GiveUp("unreadable", detail)
        case BodyMissing():
            return GiveUp("body_missing")
        case Throttled(until):
            return RetryIn(until - now, to_slot=True)
        case Slowed(until):
            # Later by up to the jitter, so that what waits does not come back all at once.
            return RetryIn((until - now) * (1 + JITTER * random()))
        case UnknownDestination() if task.wear.queued >= UNKNOWN_FOR:
            return GiveUp("unknown_destination")
        case Newer(version) if task.wear.queued >= UNKNOWN_FOR:
            return GiveUp("unreadable", f"task version {version} is newer than this deployment")
        case UnknownDestination() | Newer() | Faulty() | DependencyFailed() | Paused() | CircuitOpen():
            return RetryIn(jittered(PUT_OFF, random))
    assert_never(outcome)


def end_of(outcome: Outcome, task: Circumstances, policy: Retry, now: float) -> float:
    """Return when Flagcast gives up a task that is tried again (epoch seconds), if nothing ends it before."""
    sent_at = now - task.wear.queued
    match outcome:
        case UnknownDestination() | Newer():
            return sent_at + UNKNOWN_FOR
        case Answered() | NotNow() | Unreachable() if task.first_attempt is not None:
            return min(task.first_attempt + policy.max_backoff_duration, sent_at + LONGEST_STAY)
        case _:
            return sent_at + LONGEST_STAY


def _again(
    outcome: Answered | NotNow | Unreachable, task: Circumstances, policy: Retry, now: float, random: Random
) -> RetryIn | GiveUp:
    if isinstance(outcome, Unreachable):
        given_up, retry_after = GiveUp("expired", outcome.cause), None
    else:
        said = outcome.excerpt if isinstance(outcome, Answered) else outcome.detail
        given_up, retry_after = GiveUp("expired", said, outcome.status), outcome.retry_after
    if task.first_attempt is not None and now - task.first_attempt >= policy.max_backoff_duration:
        return given_up
    return RetryIn(backoff(policy, task.attempts, random, retry_after))
