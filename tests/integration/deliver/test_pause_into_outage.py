"""Tasks of one group, paused for two days, then unpaused into an outage."""

import datetime
import json
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.circuit_breaker import base as circuits
from aws_lambda_powertools.utilities.circuit_breaker.persistence import base as rows
from aws_lambda_powertools.utilities.circuit_breaker.persistence import dynamodb as table
from benchmarks.staying import ILL, held

from flagcast.delivery.retry_schedule import LONGEST_STAY, MOST_RECEIVES
from flagcast.tasks.outcomes import Paused
from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import DAY, HOUR, Stack
from tests.support.fifo import Stored

PAUSE = 2 * DAY
WHOLE = pytest.param(30, marks=pytest.mark.long)

Lines = list[dict[str, Any]]


@pytest.fixture(params=["off", "on"])
def circuit(request: pytest.FixtureRequest, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> str:
    """Turn the circuits off, or on by the simulated clock: by the real one a circuit that opened never recovers."""
    setting: str = request.param
    monkeypatch.setenv("FLAGCAST_CIRCUIT_BREAKER", setting)
    simulated = SimpleNamespace(now=lambda: datetime.datetime.fromtimestamp(stack.clock.now(), datetime.UTC))
    for module in (circuits, rows, table):
        monkeypatch.setattr(module, "dt", SimpleNamespace(datetime=simulated))
    for counts in ("_LOCAL_FAILURES", "_LOCAL_SUCCESSES", "_LAST_OBSERVED_STATE"):
        monkeypatch.setattr(circuits, counts, {})
    return setting


def put(stack: Stack, name: str, group: str) -> Stored:
    raw = json.dumps({"type": "flag", "action": "updated", "payload": {"key": name}}).encode()
    return stack.put("ill", raw, group)


def run(stack: Stack, seconds: float = float("inf")) -> None:
    """Deliver whatever can be received, until the time is over or the queue is empty."""
    until = stack.clock.now() + seconds
    while stack.waiting() and (now := stack.clock.now()) < until:
        if stack.deliver() is None:
            seen_again = min(each.visible_at for each in stack.waiting().values() if each.visible_at > now)
            stack.clock.advance(min(seen_again, until) - now)


def paused_into_an_outage(stack: Stack, count: int) -> list[Stored]:
    """Let two days of pause end, in which every delay is at its shortest; every request is answered 500 now."""
    stack.random = 0.0
    stack.configure({"ill": {"paused": True}})
    tasks = [put(stack, f"flag-{at}", "one") for at in range(count)]
    # Its circuit is opened by one group, and holds back another.
    put(stack, "neighbour", "another")
    run(stack, PAUSE)
    assert stack.receiver.requests() == []
    stack.receiver.script("/ill", [Answer(500)])
    stack.configure({"ill": {}})
    return tasks


def first_attempts(lines: Lines, tasks: list[Stored]) -> dict[str, float]:
    """Return when the first request was made for each task that had one."""
    sent = {each.id: each.sent_at for each in tasks}
    found: dict[str, float] = {}
    for line in lines:
        if (name := line.get("message_id")) in sent and "Failed" in line:
            found.setdefault(name, sent[name] + line["age_ms"] / 1000)
    return found


def asked_for(stack: Stack, status: int) -> list[str]:
    """Return the flags of the group for which requests were answered so, in that order."""
    answered = [json.loads(each.body) for each in stack.receiver.requests() if each.answered == status]
    return [name for each in answered if (name := each["payload"]["key"]) != "neighbour"]


@pytest.mark.parametrize("count", [12, WHOLE])
def test_an_outage_after_a_pause_gives_nothing_up_in_its_first_day_and_all_arrives_in_order_when_it_ends(
    stack: Stack, circuit: str, capfd: pytest.CaptureFixture[str], count: int
) -> None:
    tasks = paused_into_an_outage(stack, count)
    run(stack, DAY)
    assert stack.dead_letters() == []
    assert {each.id for each in tasks} <= stack.waiting().keys()
    # The pause was no attempt: the first is what the outage met, and those behind have had none.
    lines = stack.lines(capfd)
    first = first_attempts(lines, tasks)
    assert list(first) == [tasks[0].id]
    assert first[tasks[0].id] >= tasks[0].sent_at + PAUSE
    assert set(asked_for(stack, 500)) == {"flag-0"}
    is_put_off = "CircuitOpen" in {line.get("why") for line in lines}
    assert is_put_off == (circuit == "on")

    stack.receiver.script("/ill", [Answer(200)])
    run(stack, 2 * HOUR)
    assert stack.waiting() == {}
    assert stack.dead_letters() == []
    assert asked_for(stack, 200) == [f"flag-{at}" for at in range(count)]
    highest = max(each.receives for each in tasks)
    print(f"circuit {circuit}: {highest} receives at most")
    assert highest < MOST_RECEIVES / 3
    # What docs/scaling.md is computed from counts the same; a circuit leaves to chance which group makes its probe.
    assert circuit == "on" or highest == max(each.receives for each in held((PAUSE, Paused()), (DAY, ILL)))


@pytest.mark.long
def test_an_outage_that_stays_gives_each_task_a_day_from_its_own_first_attempt_or_the_13_days_that_all_have(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    tasks = paused_into_an_outage(stack, 30)
    run(stack)
    first = first_attempts(stack.lines(capfd), tasks)
    ids = [each.id for each in tasks]
    letters = {each.attributes["message_id"]["StringValue"]: each for each in stack.dead_letters()}
    assert [name for name in letters if name in ids] == ids
    assert {each.attributes["reason"]["StringValue"] for each in letters.values()} == {"expired"}
    stays = {each.id: letters[each.id].sent_at - each.sent_at for each in tasks}
    early = {name for name in ids if stays[name] < LONGEST_STAY}
    assert early
    for each in tasks:
        if each.id in early:
            assert letters[each.id].sent_at >= first[each.id] + DAY
        assert stays[each.id] < LONGEST_STAY + DAY / 2
    highest = max(each.receives for each in tasks)
    print(f"{len(early)} of {len(tasks)} before 13 days, {highest} receives at most")
    assert highest < MOST_RECEIVES * 3 / 4
