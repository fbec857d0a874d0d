"""`flagcast dlq` against the deployed template, with real deduplication and the real functions."""

import json
import time

import pytest

from flagcast_cli.dlq.command import app
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer
from flagcast_cli.local.stack import Stack
from tests.e2e.conftest import CONFIGURATION
from tests.e2e.test_pipeline import event_named, post_signed, wait_for
from tests.support.time_limits import PATIENCE

CapSys = pytest.CaptureFixture[str]
WHICH = ("--destination", "segments")
pytestmark = pytest.mark.usefixtures("shell")


def run(*words: str) -> int:
    code = app(words, result_action="return_value")
    assert isinstance(code, int)
    return code


def redrive() -> int:
    return run("redrive", *WHICH, "--yes", "--config", str(CONFIGURATION))


def wait_until_dead(capsys: CapSys, count: int) -> list[str]:
    """Poll the list until so many letters are there; returns their events' ids."""
    deadline = time.monotonic() + PATIENCE
    while True:
        capsys.readouterr()
        assert run("list", *WHICH, "--json") == 0
        found = [each["event_id"] for each in json.loads(capsys.readouterr().out)["letters"]]
        if len(found) == count:
            return found
        assert time.monotonic() < deadline, found


def shown_with(capsys: CapSys, event_id: str, text: str) -> str:
    """Poll what is shown of a letter until a text is in it; returns all of it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        assert run("show", event_id) == 0
        if text in (shown := capsys.readouterr().out):
            return shown
        assert time.monotonic() < deadline, shown


def test_thirty_five_dead_letters_of_one_subject_are_redriven_in_order(
    stack: Stack, receiver: Receiver, capsys: CapSys
) -> None:
    receiver.script("/segments", [Answer(422)])
    bodies = [event_named("many", "segment", "updated").replace(b"03:04:05", b"03:04:%02d" % at) for at in range(35)]
    accepted = [post_signed(stack, body)["event_id"] for body in bodies]
    assert wait_until_dead(capsys, 35) == accepted
    refused = len(wait_for(receiver, "/segments", '"many"', 35))
    receiver.script("/segments", [Answer(200)])
    assert redrive() == 0
    assert "✓ 35 delivered" in capsys.readouterr().out
    arrived = wait_for(receiver, "/segments", '"many"', refused + 35)[refused:]
    assert [each.body for each in arrived] == bodies
    assert wait_until_dead(capsys, 0) == []
    assert redrive() == 0


def test_a_task_redriven_right_after_it_was_accepted_is_delivered_and_one_that_fails_again_is_there_again(
    stack: Stack, receiver: Receiver, capsys: CapSys
) -> None:
    began = time.monotonic()
    receiver.script("/segments", [Answer(422)])
    accepted = post_signed(stack, event_named("again", "segment"))["event_id"]
    for times in (1, 2):
        assert wait_until_dead(capsys, 1) == [accepted]
        # It waits for what becomes of it.
        assert redrive() == 1
        assert f"1 dead again: rejected 422: {accepted}" in capsys.readouterr().out
        wait_for(receiver, "/segments", '"again"', times + 1)
    assert wait_until_dead(capsys, 1) == [accepted]
    receiver.script("/segments", [Answer(200)])
    assert redrive() == 0
    assert "✓ 1 delivered" in capsys.readouterr().out
    tries = wait_for(receiver, "/segments", '"again"', 4)
    # All of it within the five minutes in which SQS swallows what it has seen.
    assert time.monotonic() - began < 300
    assert len({dict(each.headers)["Webhook-Id"] for each in tries}) == 1
    assert wait_until_dead(capsys, 0) == []


def test_a_letter_is_shown_and_dropped(stack: Stack, receiver: Receiver, capsys: CapSys) -> None:
    receiver.script("/segments", [Answer(422, body=b"not this one")])
    accepted = post_signed(stack, event_named("dropped", "segment", "deleted"))["event_id"]
    assert wait_until_dead(capsys, 1) == [accepted]
    # The letter is there before its function's log is: what was answered is read from the log, and follows.
    shown = shown_with(capsys, accepted, "answer       not this one\n")
    assert "detail       not this one\n" in shown
    assert '"key": "dropped"' in shown
    assert run("drop", *WHICH, "--yes") == 0
    assert wait_until_dead(capsys, 0) == []
