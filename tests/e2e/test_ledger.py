"""`flagcast events` and its relatives over the log that the deployed functions wrote."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer
from flagcast_cli.local.stack import Stack
from flagcast_cli.main import app
from tests.e2e.conftest import CONFIGURATION
from tests.e2e.test_pipeline import event_named, post_signed, wait_until_empty
from tests.support.time_limits import PATIENCE

Asked = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("shell")


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str]) -> Asked:
    """Ask with --json until the answer is as it will be: lines come into the log a moment after the work is done."""

    def ask(*words: str, until: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            capsys.readouterr()
            assert app([*words, "--json"], result_action="return_value") == 0
            answer = json.loads(capsys.readouterr().out)
            if until(answer):
                return answer
            assert time.monotonic() < deadline, answer

    return ask


def flag(enabled: bool, second: int) -> bytes:
    made = json.loads(event_named("asked-for"))
    payload = {**made["payload"], "namespace_key": "staging", "enabled": enabled}
    actor = {"actor": {"name": "ada"}}
    timestamp = f"2026-01-02T03:05:{second:02}Z"
    return json.dumps({**made, "payload": payload, "metadata": actor, "timestamp": timestamp}).encode()


def test_a_change_is_found_by_its_flag_with_who_made_it_and_what_came_of_each_delivery(
    stack: Stack, asked: Asked
) -> None:
    post_signed(stack, flag(enabled=False, second=1))
    event_id = post_signed(stack, flag(enabled=True, second=2))["event_id"]

    def are_over(answer: Any) -> bool:
        events = answer["events"]
        return len(events) == 2 and all(one["state"] in ("delivered", "filtered") for one in events[-1]["deliveries"])

    # A filter of a value that is not in the log yet is an error, so it is not asked for before it is there.
    asked("events", "--limit", "0", until=lambda answer: event_id in [each["event_id"] for each in answer["events"]])
    found = asked("events", "--flag", "asked-for", until=are_over)["events"][-1]
    assert (found["event_id"], found["title"]) == (event_id, "ada turned on flag asked-for")
    assert found["deliveries"] == [
        {"destination": "everything", "state": "delivered"},
        {"destination": "everything-too", "state": "delivered"},
        {"destination": "flagcast-archive", "state": "delivered"},
        {"destination": "production", "state": "filtered"},
    ]
    changed = asked("changes", "--namespace", "staging", "--actor", "ada", until=lambda answer: bool(answer["changes"]))
    assert changed["changes"][-1]["changes"] == [
        {"field": "enabled", "before": False, "after": True, "is_before_known": True}
    ]


def test_a_dead_letter_is_told_with_what_was_answered_and_seen_to_be_delivered_once_it_is_redriven(
    stack: Stack, receiver: Receiver, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.script("/segments", [Answer(422, body=b"no such segment here"), Answer(200, body=b"thanks")])
    event_id = post_signed(stack, event_named("asked-about", "segment", "updated"))["event_id"]
    prefix = event_id[:12]

    def is_in(state: str) -> Callable[[Any], bool]:
        return lambda answer: (
            ("segments", state) in [(each["destination"], each["state"]) for each in answer["deliveries"]]
        )

    asked("events", "--limit", "0", until=lambda answer: event_id in [each["event_id"] for each in answer["events"]])
    told = asked("event", prefix, until=is_in("dead-lettered"))
    assert app(["event", prefix], result_action="return_value") == 0
    shown = capsys.readouterr().out
    assert "dead-lettered in" in shown
    assert "rejected 422 “no such segment here”" in shown
    redrive = next(each for each in shown.splitlines() if each.startswith("flagcast dlq redrive"))
    words = [*redrive.split()[1:], "--yes", "--config", str(CONFIGURATION)]
    assert app(words, result_action="return_value") == 0
    capsys.readouterr()
    told = asked("event", prefix, until=is_in("delivered"))
    [attempts] = [each["attempts"] for each in told["deliveries"] if each["destination"] == "segments"]
    assert [(each["state"], each["status"], each["answer"]) for each in attempts] == [
        ("dead-lettered", 422, "no such segment here"), ("delivered", 200, "thanks"),
    ]  # fmt: skip


def test_status_says_how_each_destination_and_source_of_the_stack_stands(
    stack: Stack, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    event_id = post_signed(stack, event_named("stands"))["event_id"]
    asked("events", "--limit", "0", until=lambda answer: event_id in [each["event_id"] for each in answer["events"]])
    wait_until_empty(stack)
    capsys.readouterr()
    code = app(["status", "--json", "--config", str(CONFIGURATION)], result_action="return_value")
    answer = json.loads(capsys.readouterr().out)
    # What doctor finds on the local stack is its own test's.
    assert code == (1 if any(each["level"] == "ill" for each in answer["findings"]) else 2 if answer["findings"] else 0)
    standing = {each["destination"]: each for each in answer["destinations"]}
    assert standing["everything"]["delivered_last_hour"] >= 1
    assert next(each for each in answer["sources"] if each["source"] == "flipt")["accepted_last_hour"] >= 1
