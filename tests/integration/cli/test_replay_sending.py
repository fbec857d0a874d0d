"""How `flagcast replay` sends: stopped and resumed, at its rate, with what SQS and S3 do not take."""

import json

import pytest

from flagcast_cli.replay.saved_replay import folder, unfinished
from flagcast_cli.replay.sending import MOST_WAITING
from tests.integration.cli.dlq_harness import Killed, dlq
from tests.integration.cli.replay_harness import CONFIGURATION, ReplayStack, of_group, refusal, replays, task_in

__all__ = ["dlq", "replays"]
DAY = 86_400
CapSys = pytest.CaptureFixture[str]


def stop_and_resume(replays: ReplayStack, step: str, number: int, wait: float) -> list[str]:
    """Kill a replay at a request, resume it so much later, and return the events as SQS numbered them."""
    replays.stop_at(step, number, Killed)
    with pytest.raises(Killed):
        replays.run("line", "--since", "2d", "--rate", "100/s", "--yes")
    replays.dlq.client.recover()
    first = replays.queued()
    replays.clock.advance(wait)
    [name] = unfinished()
    assert replays.run("--resume", name, "--yes") == 0
    assert unfinished() == []
    assert list(folder().iterdir()) == []
    again = replays.queued()
    assert again[: len(first)] == first
    assert len({task_in(each).replay for each in again}) == 1
    assert len({each.group for each in again}) == 1
    return [task_in(each).event_id for each in again]


@pytest.mark.parametrize("step", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_replay_that_was_killed_is_resumed_with_the_same_messages_and_nothing_is_lost_or_twice(
    replays: ReplayStack, step: str, number: int
) -> None:
    kept = [replays.keep(key, ago=DAY - at) for at, key in enumerate("abab")]
    assert stop_and_resume(replays, step, number, wait=60) == [each.id for each in kept]


def test_resumed_after_sqs_has_forgotten_only_what_was_in_doubt_comes_twice_and_before_what_follows(
    replays: ReplayStack,
) -> None:
    first, second, third = (replays.keep("a", ago=DAY - at).id for at in range(3))
    assert stop_and_resume(replays, "after", 2, wait=600) == [first, second, second, third]


def test_resumed_after_ordering_was_changed_it_keeps_the_message_groups_that_it_began_with(
    replays: ReplayStack,
) -> None:
    kept = [replays.keep(key, ago=DAY - at).id for at, key in enumerate("ab")]
    replays.stop_at("before", 2, Killed)
    with pytest.raises(Killed):
        replays.run("line", "--since", "2d", "--yes")
    replays.dlq.client.recover()
    replays.dlq.config.write_text(CONFIGURATION.replace("ordering: destination", "ordering: none"))
    assert replays.run("--resume", *unfinished(), "--yes") == 0
    assert list(of_group(replays.queued()).values()) == [kept]


def test_a_destination_that_is_gone_when_it_is_resumed_is_said(replays: ReplayStack) -> None:
    replays.keep(ago=3600)
    replays.stop_at("before", 1, Killed)
    with pytest.raises(Killed):
        replays.run("later", "--since", "1d", "--yes")
    replays.dlq.client.recover()
    replays.dlq.config.write_text(CONFIGURATION.replace("  later:", "  other:"))
    assert "has no destination later" in refusal(replays, "--resume", *unfinished(), "--yes")[0]
    assert replays.queued() == []


def test_resuming_can_be_rehearsed_and_declined(replays: ReplayStack, capsys: CapSys) -> None:
    replays.keep(ago=3600)
    replays.stop_at("before", 1, Killed)
    with pytest.raises(Killed):
        replays.run("later", "--since", "1d", "--yes")
    replays.dlq.client.recover()
    [name] = unfinished()
    assert replays.run("--resume", name, "--dry-run") == 0
    assert replays.run("--resume", name, "--dry-run", "--json") == 0
    replays.dlq.answer("n\n")
    assert replays.run("--resume", name) == 1
    assert "1 event for later" in capsys.readouterr().out
    assert (replays.queued(), unfinished()) == ([], [name])


def test_ctrl_c_says_how_to_go_on(replays: ReplayStack, capsys: CapSys) -> None:
    for at in range(4):
        replays.keep("a", ago=DAY - at)
    replays.stop_at("before", 3, KeyboardInterrupt)
    with pytest.raises(SystemExit):
        replays.run("later", "--since", "2d", "--yes")
    [name] = unfinished()
    assert f"Stopped: 2 of 4 sent. To go on: flagcast replay --resume {name}" in capsys.readouterr().err


def test_one_command_at_a_time_sends_a_replay_and_none_sends_another_stacks(
    replays: ReplayStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    replays.keep("a", ago=3600)
    replays.stop_at("before", 1, Killed)
    inner: list[str] = []

    def while_it_runs(*_: object) -> None:
        [name] = unfinished()
        inner.append(refusal(replays, "--resume", name, "--yes")[0])
        raise Killed

    replays.dlq.client.after = while_it_runs
    replays.dlq.client.before = lambda *_: None
    with pytest.raises(Killed):
        replays.run("later", "--since", "1d", "--yes")
    [name] = unfinished()
    assert inner == [f"another command is sending {name}"]
    replays.dlq.client.recover()
    replays.dlq.outputs["TaskQueueUrl"] = replays.dlq.dead_url
    assert "another stack" in refusal(replays, "--resume", name, "--yes")[0]


def test_it_goes_at_half_of_the_destinations_rate_and_at_the_rate_that_is_given(replays: ReplayStack) -> None:
    for at in range(5):
        replays.keep("a", ago=DAY - at)
    began = replays.clock.now()
    assert replays.run("slow", "--since", "2d", "--yes") == 0
    assert replays.clock.now() - began == pytest.approx(4)
    began = replays.clock.now()
    assert replays.run("loose", "--since", "2d", "--rate", "30/m", "--yes") == 0
    assert replays.clock.now() - began == pytest.approx(8)


def test_it_waits_while_the_queue_is_long(replays: ReplayStack, monkeypatch: pytest.MonkeyPatch) -> None:
    replays.keep("a", ago=3600)
    answers = [MOST_WAITING + 1, MOST_WAITING + 1, MOST_WAITING]
    monkeypatch.setattr("flagcast.edges.aws.queue.Queue.waiting", lambda *_: answers.pop(0))
    began = replays.clock.now()
    assert replays.run("later", "--since", "1d", "--yes") == 0
    assert replays.clock.now() - began == pytest.approx(10)
    assert answers == []


def test_what_aws_does_not_take_stops_it_and_it_can_be_resumed(replays: ReplayStack, capsys: CapSys) -> None:
    kept = replays.keep("a", ago=3600)
    replays.dlq.client.before = lambda _, operation, __: (
        {"Failed": [{"Id": "0", "Code": "InternalError"}]} if operation == "send_message_batch" else None
    )
    assert "AWS does not take the events" in refusal(replays, "later", "--since", "1d", "--yes")[0]
    replays.dlq.client.recover()
    [name] = unfinished()
    assert replays.run("--resume", name, "--yes") == 0
    assert replays.ids() == [kept.id]


def test_a_body_that_is_too_large_for_a_message_is_stored_again(replays: ReplayStack) -> None:
    raw = json.dumps({"type": "flag", "action": "updated", "payload": {"key": "a", "more": "x" * 250_000}}).encode()
    kept = replays.keep(ago=50 * DAY, raw=raw)
    assert replays.run("later", "--event", kept.id, "--yes") == 0
    [made] = replays.tasks()
    assert made.body_ref == f"bodies/{kept.id}"
    assert replays.s3.get_object(Bucket="bodies", Key=made.body_ref)["Body"].read() == raw
