import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.model import Retry
from flagcast.delivery.decision import UNKNOWN_FOR, Circumstances, decide, end_of, is_outage, overdue
from flagcast.primitives.duration import DAY, HOUR, Duration
from flagcast.primitives.render_failure import RenderFailed
from flagcast.tasks.outcomes import (
    Answered,
    BlockedAddress,
    BodyMissing,
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
    UnknownDestination,
    Unreachable,
    Unreadable,
)
from flagcast.tasks.received_message import Wear
from tests.unit.builders import middle

POLICY = Retry(retry_on=(404,))
NOW = 1_000_000.0
PUT_OFF = RetryIn(60)


def after(outcome: Outcome, *, attempts: int = 1, trying: float = 0, queued: float = 0) -> Decision:
    """Decide about a task that was attempted so often, first so many seconds ago, and is queued for so long."""
    task = Circumstances(Wear(attempts, queued), attempts, NOW - trying)
    return decide(outcome, task, POLICY, NOW, middle)


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [
        *((Answered(status, excerpt="ok"), Done()) for status in (200, 201, 202, 204, 226, 299)),
        *((Answered(status), RetryIn(1)) for status in (408, 425, 429, 500, 502, 503, 504, 599, 600, 999)),
        (Answered(404, excerpt="not yet"), RetryIn(1)),
        (Answered(503, retry_after=120), RetryIn(120)),
        (Answered(429, retry_after=0.1), RetryIn(1)),
        *(
            (Unreachable(cause), RetryIn(1))
            for cause in ("connection", "name", "tls", "timeout", "protocol", "address")
        ),
        *(
            (Answered(status, excerpt="why"), GiveUp("rejected", "why", status))
            for status in (300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 405, 409, 413, 422, 499)
        ),
        # "Not now" in a 4xx was a dead letter at once, while the task behind it waited for that same answer.
        *(
            (Answered(status, retry_after=9, excerpt="why"), RetryIn(9))
            for status in (400, 401, 403, 409, 413, 422, 499)
        ),
        *((Answered(status, retry_after=9), GiveUp("rejected", "", status)) for status in (300, 302, 304, 307)),
        (Answered(410, excerpt="moved on"), GiveUp("gone", "moved on", 410)),
        (Answered(410, retry_after=9), GiveUp("gone", "", 410)),
        (Answered(302, is_accepted=True), Done()),
        (NotNow(200, None, "ratelimited"), RetryIn(1)),
        (NotNow(403, 30, "abuse"), RetryIn(30)),
        (RenderFailed("body, line 1: no"), GiveUp("render_failed", "body, line 1: no")),
        (NotAccepted(200, "ok: false"), GiveUp("rejected", "ok: false", 200)),
        (FilterFailed("when: no"), GiveUp("filter_failed", "when: no")),
        (BodyMissing(), GiveUp("body_missing")),
        (Filtered(), Done()),
        (BlockedAddress("an address in ::1/128"), GiveUp("blocked_address", "an address in ::1/128")),
        (UnknownDestination(), PUT_OFF),
        (Newer(2), PUT_OFF),
        (Unreadable("not a task"), GiveUp("unreadable", "not a task")),
        (Faulty("destinations.a.url: is required"), PUT_OFF),
        (DependencyFailed("secret a"), PUT_OFF),
    ],
)
def test_what_follows_from_an_outcome_is_this_table(outcome: Outcome, decision: Decision) -> None:
    assert after(outcome) == decision


@pytest.mark.parametrize(
    ("outcome", "outage"),
    [
        (Unreachable("timeout"), True),
        *((Answered(status), True) for status in (500, 503, 599)),
        *((Answered(status), False) for status in (200, 302, 404, 408, 425, 429, 499)),
        (RenderFailed("x"), False),
    ],
)
def test_it_is_an_outage_if_there_is_no_answer_or_a_5xx(outcome: Outcome, outage: bool) -> None:
    assert is_outage(outcome) is outage


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2), (5, 16), (13, 3600)])
def test_a_retry_waits_by_the_number_of_attempts(attempts: int, seconds: float) -> None:
    assert after(Unreachable("timeout"), attempts=attempts) == RetryIn(seconds)


@pytest.mark.parametrize(
    ("outcome", "given_up"),
    [
        (Answered(503, retry_after=7, excerpt="down"), GiveUp("expired", "down", 503)),
        (Answered(404, excerpt="not yet"), GiveUp("expired", "not yet", 404)),
        (NotNow(200, 7, "ratelimited"), GiveUp("expired", "ratelimited", 200)),
        (Unreachable("name"), GiveUp("expired", "name")),
    ],
)
def test_retrying_ends_once_max_backoff_duration_has_passed_since_the_first_attempt(
    outcome: Outcome, given_up: GiveUp
) -> None:
    assert after(outcome, trying=DAY - 0.5) == RetryIn(getattr(outcome, "retry_after", None) or 1)
    assert after(outcome, trying=DAY) == given_up


def test_a_max_backoff_duration_of_nothing_tries_once() -> None:
    once = Retry(max_backoff_duration=Duration(0))
    task = Circumstances(Wear(1, 0), 1, NOW)
    assert decide(Unreachable("tls"), task, once, NOW, middle) == GiveUp("expired", "tls")


@pytest.mark.parametrize(
    ("outcome", "given_up"),
    [
        (UnknownDestination(), GiveUp("unknown_destination")),
        (Newer(2), GiveUp("unreadable", "task version 2 is newer than this deployment")),
    ],
)
def test_what_a_deploy_may_still_bring_is_waited_for_two_hours(outcome: Outcome, given_up: GiveUp) -> None:
    assert UNKNOWN_FOR == 2 * HOUR
    assert after(outcome, queued=UNKNOWN_FOR - 0.5) == PUT_OFF
    assert after(outcome, queued=UNKNOWN_FOR) == given_up


@pytest.mark.parametrize("outcome", [Faulty("x"), DependencyFailed("x")])
def test_what_was_never_attempted_does_not_expire(outcome: Outcome) -> None:
    assert after(outcome, attempts=500, trying=12 * DAY, queued=12 * DAY) == PUT_OFF


@pytest.mark.parametrize(
    ("receives", "queued", "decision"),
    [
        (1, 0, None),
        (899, 13 * DAY - 1, None),
        (900, 0, GiveUp("exhausted", "received 900 times")),
        (1000, 0, GiveUp("exhausted", "received 1000 times")),
        (1, 13 * DAY, GiveUp("expired", "13 days on the queue")),
        (900, 14 * DAY, GiveUp("expired", "13 days on the queue")),
    ],
)
def test_a_task_leaves_the_queue_before_the_queues_own_net_takes_it(
    receives: int, queued: float, decision: GiveUp | None
) -> None:
    assert overdue(Wear(receives, queued)) == decision


@given(st.integers(100, 999), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, DAY), st.integers(1, 900))
def test_an_answer_is_done_with_when_it_is_2xx_and_never_otherwise(
    status: int, random: float, retry_after: float | None, attempts: int
) -> None:
    task = Circumstances(Wear(attempts, 0), attempts, NOW)
    decision = decide(Answered(status, retry_after), task, Retry(), NOW, lambda: random)
    assert (decision == Done()) is (status // 100 == 2)
    if isinstance(decision, RetryIn):
        assert 0.8 <= decision.seconds <= max(1.2 * HOUR, retry_after or 0)


@pytest.mark.parametrize(
    ("outcome", "first_attempt", "end"),
    [
        (Answered(503), NOW - HOUR, NOW + 23 * HOUR),
        (Unreachable("timeout"), NOW - HOUR, NOW + 23 * HOUR),
        (Answered(503), None, NOW + 11 * DAY),
        (Paused(), NOW - HOUR, NOW + 11 * DAY),
        (UnknownDestination(), None, NOW - 2 * DAY + 2 * HOUR),
        (Newer(2), None, NOW - 2 * DAY + 2 * HOUR),
    ],
)
def test_it_is_known_when_a_task_that_waits_is_given_up(
    outcome: Outcome, first_attempt: float | None, end: float
) -> None:
    two_days_old = Circumstances(Wear(2, 2 * DAY), 1, first_attempt)
    assert end_of(outcome, two_days_old, Retry(), NOW) == end


def test_no_schedule_keeps_a_task_longer_than_the_queue_may() -> None:
    task = Circumstances(Wear(2, 12 * DAY), 1, NOW - HOUR)
    assert end_of(Answered(503), task, Retry(max_backoff_duration=Duration(5 * DAY)), NOW) == NOW + DAY
