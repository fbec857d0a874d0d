import time
from email.utils import formatdate

import pytest

from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import HOUR, Stack, bodies

# Every status is in tests/unit/delivery/test_decision.py; an answer that is a 304 has no body.


@pytest.mark.parametrize("status", [429, 503])
def test_what_may_pass_is_retried(stack: Stack, status: int) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(status)])
    task = stack.put("ill")
    assert stack.deliver() == [task.id]
    assert stack.delay(task) == 1


@pytest.mark.parametrize("status", [304, 400])
def test_what_will_not_pass_is_given_up(stack: Stack, status: int) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(status, body=b"why not")])
    stack.put("ill")
    assert stack.deliver() == []
    assert len(stack.receiver.requests()) == 1
    assert (stack.attributes()["reason"], stack.attributes()["status"]) == ("rejected", str(status))


def test_what_is_gone_is_given_up_as_gone(stack: Stack) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(410)])
    stack.put("ill")
    stack.deliver()
    assert (stack.attributes()["reason"], stack.attributes()["status"]) == ("gone", "410")


def test_what_stands_in_retry_on_is_retried(stack: Stack) -> None:
    stack.configure({"ill": {"retry": {"retry_on": [410]}}})
    stack.receiver.script("/ill", [Answer(410), Answer(200)])
    task = stack.put("ill")
    assert stack.deliver() == [task.id]
    stack.clock.advance(1)
    assert stack.deliver() == []
    assert stack.waiting() == {}


def test_delays_grow_by_the_schedule_to_the_second(stack: Stack) -> None:
    stack.configure({"ill": {"retry": {"initial_interval": "10s", "multiplier": 3, "max_interval": "2m"}}})
    stack.receiver.script("/ill", [Answer(500)])
    task = stack.put("ill")
    delays = []
    for _ in range(5):
        assert stack.deliver() == [task.id]
        delays.append(stack.delay(task))
        stack.clock.advance(delays[-1] - 0.001)
        assert stack.deliver() is None
        stack.clock.advance(0.001)
    assert delays == [10, 30, 90, 120, 120]


def test_delays_are_spread_by_a_fifth(stack: Stack) -> None:
    stack.random = 0.999
    stack.configure({"ill": {"retry": {"initial_interval": "100s"}}})
    stack.receiver.script("/ill", [Answer(500)])
    task = stack.put("ill")
    stack.deliver()
    assert stack.delay(task) == 120


def test_followers_can_be_seen_at_once_but_only_behind_their_head(stack: Stack) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(500)])
    head, *followers = [stack.put("ill", group="one") for _ in range(4)]
    assert stack.deliver() == [each.id for each in (head, *followers)]
    assert len(stack.receiver.requests()) == 1
    assert stack.delay(head) == 1
    assert [stack.delay(each) for each in followers] == [0, 0, 0]
    assert stack.deliver() is None


def test_a_group_that_fails_twice_arrives_in_order_in_the_end(stack: Stack) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(200), Answer(500), Answer(503), Answer(200)])
    sent = bodies(4)
    for raw in sent:
        stack.put("ill", raw, group="one")
    for _ in range(3):
        stack.deliver()
        stack.clock.advance(60)
    assert [each.body for each in stack.receiver.requests() if each.answered == 200] == sent
    assert stack.waiting() == {}
    assert stack.dead_letters() == []


@pytest.mark.parametrize(
    ("value", "delay"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 1),
        ("soon", 1),
        ("-5", 1),
        ("1, 2", 1),
        ("30, 30", 30),
        (str(24 * HOUR), 11.5 * HOUR),
        # A mistake: nothing was sent for half a day.
        (str(100 * HOUR), HOUR),
        ("9" * 400, 1),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
    ],
)
def test_a_longer_retry_after_is_respected(stack: Stack, value: str, delay: float) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(429, {"Retry-After": value})])
    task = stack.put("ill")
    stack.deliver()
    assert stack.delay(task) == delay


def test_a_retry_after_may_be_a_date(stack: Stack) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(503, {"Retry-After": formatdate(time.time() + 600, usegmt=True)})])
    task = stack.put("ill")
    stack.deliver()
    assert 590 < stack.delay(task) <= 600


def test_a_retry_after_whose_date_is_absurd_is_ignored(stack: Stack) -> None:
    # An offset past any timedelta raised OverflowError, so that the attempt counted as broken and had no outcome.
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(503, {"Retry-After": f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}"})])
    task = stack.put("ill")
    assert stack.deliver() == [task.id]
    assert stack.delay(task) == 1


def test_retrying_ends_when_max_backoff_duration_has_passed(stack: Stack) -> None:
    stack.configure({"ill": {"retry": {"max_backoff_duration": "1h"}}})
    stack.receiver.script("/ill", [Answer(500, body=b"still ill")])
    task = stack.put("ill")
    stack.clock.advance(5 * HOUR)
    assert stack.deliver() == [task.id]
    attempts = [stack.clock.now() - task.sent_at]
    while stack.waiting():
        stack.clock.advance(stack.delay(task))
        stack.deliver()
        attempts.append(stack.clock.now() - task.sent_at)
    assert attempts[-2] < 6 * HOUR <= attempts[-1]
    assert len(stack.receiver.requests()) == len(attempts)
    attributes = stack.attributes()
    assert (attributes["reason"], attributes["status"], attributes["detail"]) == ("expired", "500", "still ill")
