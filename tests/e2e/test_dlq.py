"""`flagcast dlq` against the deployed template, with real deduplication and the real functions."""

import time
from collections.abc import Callable

import pytest

from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer
from flagcast_cli.local.stack import Stack
from flagcast_cli.main import app
from tests.e2e.conftest import CONFIGURATION, Asked
from tests.e2e.events import event_named, post_signed, wait_for

CapSys = pytest.CaptureFixture[str]
Letters = Callable[[int], list[str]]
WHICH = ("--destination", "segments")


def run(*words: str) -> int:
    code = app(["dlq", *words], result_action="return_value")
    assert isinstance(code, int)
    return code


def redrive() -> int:
    return run("redrive", *WHICH, "--yes", "--config", str(CONFIGURATION))


@pytest.fixture
def letters(asked: Asked) -> Letters:
    """Ask until so many letters are there; returns their events' ids."""

    def ask(count: int) -> list[str]:
        listed = asked("dlq", "list", *WHICH, until=lambda answer: len(answer["letters"]) == count)
        return [each["event_id"] for each in listed["letters"]]

    return ask


def test_thirty_five_dead_letters_of_one_subject_are_redriven_in_order(
    stack: Stack, receiver: Receiver, letters: Letters, capsys: CapSys
) -> None:
    receiver.script("/segments", [Answer(422)])
    bodies = [event_named("many", "segment", "updated").replace(b"03:04:05", b"03:04:%02d" % at) for at in range(35)]
    accepted = [post_signed(stack, body)["event_id"] for body in bodies]
    assert letters(35) == accepted
    refused = len(wait_for(receiver, "/segments", '"many"', 35))
    receiver.script("/segments", [Answer(200)])
    assert redrive() == 0
    assert "✓ 35 delivered" in capsys.readouterr().out
    arrived = wait_for(receiver, "/segments", '"many"', refused + 35)[refused:]
    assert [each.body for each in arrived] == bodies
    assert letters(0) == []
    assert redrive() == 0


def test_a_task_redriven_right_after_it_was_accepted_is_delivered_and_one_that_fails_again_is_there_again(
    stack: Stack, receiver: Receiver, letters: Letters, capsys: CapSys
) -> None:
    began = time.monotonic()
    receiver.script("/segments", [Answer(422)])
    accepted = post_signed(stack, event_named("again", "segment"))["event_id"]
    for times in (1, 2):
        assert letters(1) == [accepted]
        # It waits for what becomes of it.
        assert redrive() == 1
        assert f"1 dead again: rejected 422: {accepted}" in capsys.readouterr().out
        wait_for(receiver, "/segments", '"again"', times + 1)
    assert letters(1) == [accepted]
    receiver.script("/segments", [Answer(200)])
    assert redrive() == 0
    assert "✓ 1 delivered" in capsys.readouterr().out
    tries = wait_for(receiver, "/segments", '"again"', 4)
    # All of it within the five minutes in which SQS swallows what it has seen.
    assert time.monotonic() - began < 300
    assert len({dict(each.headers)["Webhook-Id"] for each in tries}) == 1
    assert letters(0) == []


def test_a_letter_is_shown_and_dropped(
    stack: Stack, receiver: Receiver, asked: Asked, letters: Letters, capsys: CapSys
) -> None:
    receiver.script("/segments", [Answer(422, body=b"not this one")])
    accepted = post_signed(stack, event_named("dropped", "segment", "deleted"))["event_id"]
    assert letters(1) == [accepted]
    # The letter is there before its function's log is: what was answered is read from the log, and follows.
    asked("dlq", "list", *WHICH, until=lambda answer: answer["letters"][0]["answer"])
    assert run("show", accepted) == 0
    shown = capsys.readouterr().out
    assert "detail       not this one\n" in shown
    assert "answer       not this one\n" in shown
    assert '"key": "dropped"' in shown
    assert run("drop", *WHICH, "--yes") == 0
    assert letters(0) == []
