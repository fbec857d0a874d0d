"""`flagcast replay`: accepted events once more, to one destination, in order, through the queue."""

import json

import pytest
from msgspec import structs

from flagcast.archive.record import encode, record_of
from flagcast.events.replay import Replay
from flagcast.tasks.routing import message_group_id
from flagcast.tasks.task import deduplication_id
from flagcast_cli.replay.saved_replay import unfinished
from tests.integration.cli.dlq_harness import Dlq, Killed, dlq
from tests.integration.cli.replay_harness import CONFIGURATION, ReplayStack, of_group, refusal, replays, task_in

__all__ = ["dlq", "replays"]
DAY = 86_400
CapSys = pytest.CaptureFixture[str]


def test_a_new_destination_gets_last_months_events_with_one_command_in_the_order_in_which_they_were_accepted(
    replays: ReplayStack,
) -> None:
    kept = [replays.keep(key, ago=days * DAY) for days, key in ((29, "a"), (20, "b"), (10, "a"), (1, "b"), (0.1, "a"))]
    replays.keep("a", ago=40 * DAY)
    assert replays.run("later", "--since", "30d", "--yes") == 0
    assert replays.ids() == [each.id for each in kept]
    for each in replays.tasks():
        assert (each.destination, each.source) == ("later", "flipt")
    assert sorted(map(len, of_group(replays.queued()).values())) == [2, 3]
    assert unfinished() == []


def test_each_is_marked_by_one_replay_and_keeps_when_it_was_accepted(replays: ReplayStack) -> None:
    kept = replays.keep(ago=5 * DAY)
    assert replays.run("later", "--event", kept.id, "--yes") == 0
    [stored] = replays.queued()
    made = task_in(stored)
    assert made.replay is not None
    assert made.replay.id.startswith("rpl_")
    assert made.received_at == kept.task.received_at
    assert made.raw == kept.task.raw
    assert stored.deduplication == deduplication_id(f"{kept.id}:later:{made.replay.id}")


@pytest.mark.parametrize("name", ["later", "line", "loose"])
def test_live_events_never_wait_behind_a_replay(replays: ReplayStack, name: str) -> None:
    kept = [replays.keep("a", ago=DAY - number) for number in range(3)]
    assert replays.run(name, "--since", "2d", "--yes") == 0
    groups = {each.group for each in replays.queued()}
    assert len(groups) == (3 if name == "loose" else 1)
    ordering = {"later": "subject", "line": "destination", "loose": "none"}[name]
    for each in kept:
        live = message_group_id(name, ordering, ("flag", "default", "a"), f"{each.id}:{name}")  # type: ignore[arg-type]  # one of them
        assert live not in groups


def test_a_dry_run_counts_and_sends_nothing(replays: ReplayStack, capsys: CapSys) -> None:
    replays.keep("a", ago=DAY)
    replays.keep("b", ago=DAY)
    assert replays.run("later", "--since", "2d", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "2 events for later" in said
    assert "flag updated" in said
    assert "dry run" in said
    assert replays.queued() == []
    assert unfinished() == []


def test_it_counts_first_and_asks(replays: ReplayStack, capsys: CapSys) -> None:
    replays.keep("a", ago=DAY)
    replays.dlq.answer("n\n")
    assert replays.run("later", "--since", "2d") == 1
    assert replays.queued() == []
    replays.dlq.answer("y\n")
    assert replays.run("later", "--since", "2d") == 0
    assert len(replays.queued()) == 1
    assert "Send 1 to later?" in capsys.readouterr().out


def test_an_empty_archive_says_what_would_be_in_it(replays: ReplayStack, capsys: CapSys) -> None:
    assert replays.run("later", "--since", "1d", "--yes") == 0
    assert "It has what was accepted while ArchiveDays was not 0." in capsys.readouterr().out


def test_the_filters_of_events_choose(replays: ReplayStack) -> None:
    one, other = replays.keep("a", ago=DAY), replays.keep("b", ago=DAY)
    assert replays.run("later", "--flag", "b", "--yes") == 0
    assert replays.ids() == [other.id]
    assert replays.run("later", "--event", one.id[4:12], "--until", "1h", "--yes") == 0
    assert replays.ids() == [other.id, one.id]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "--since", "1d"], "the deployed configuration has no destination nowhere"),
        (["broken", "--since", "1d"], "the deployed destination broken has a problem"),
        (["later"], "which events is not said"),
        ([], "no destination is given"),
        (["later", "--event", "evt_ffff"], "there is no event ffff to replay"),
        (["later", "--event", "evt_f"], "evt_f is too short to name an event"),
        (["later", "--flag", "z"], "the archive has no flag z"),
        (["later", "--since", "1d", "--rate", "many"], "--rate: expected a rate"),
        (["later", "--resume", "rpl_1"], "--resume sends what the replay has left"),
        (["--resume", "rpl_1"], "there is no replay rpl_1 to resume on this machine"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_sent(replays: ReplayStack, words: list[str], said: str) -> None:
    replays.keep("a", ago=3600)
    assert said in refusal(replays, *words, "--yes")[0]
    assert replays.queued() == []


@pytest.mark.parametrize(("name", "why"), [("rules", "its events reject them"), ("live", "its when rejects them")])
def test_a_destination_that_rejects_every_one_is_said_before_sending(
    replays: ReplayStack, capsys: CapSys, name: str, why: str
) -> None:
    replays.keep("a", ago=3600)
    assert replays.run(name, "--since", "1d", "--yes") == 1
    said = capsys.readouterr().out
    assert f"1 left out: {why}" in said
    assert f"{name} rejects every one of them" in said
    assert replays.queued() == []


def test_a_paused_destination_is_said_and_its_events_wait_on_the_queue(replays: ReplayStack, capsys: CapSys) -> None:
    replays.keep("a", ago=3600)
    assert replays.run("resting", "--since", "1d", "--yes") == 0
    assert "resting is paused" in capsys.readouterr().out
    assert len(replays.queued()) == 1


def test_a_destination_that_had_later_events_of_a_subject_is_refused_unless_it_may_be_stale(
    replays: ReplayStack, capsys: CapSys
) -> None:
    old, other = replays.keep("a", ago=2 * DAY), replays.keep("b", ago=2 * DAY)
    new = [replays.keep("a", ago=3600 - number) for number in range(2)]
    for each in new:
        replays.log_accepted(each, "later")
        replays.log_attempt(each, "later")
    said, steps = refusal(replays, "later", "--until", "1d", "--yes")
    assert said == "later had later events of 1 of the subjects already"
    assert any("--allow-stale" in each for each in steps)
    assert "2 events later than “Someone updated flag a”" in capsys.readouterr().out
    assert replays.queued() == []
    assert replays.run("later", "--event", other.id, "--yes") == 0
    assert replays.run("later", "--until", "1d", "--allow-stale", "--yes") == 0
    assert replays.ids() == [other.id, old.id, other.id]


@pytest.mark.parametrize(("outcome", "is_refused"), [
    (None, True), ("retrying", True), ("put_off", True), ("filtered", False), ("dead_lettered", False),
])  # fmt: skip
def test_what_waits_counts_as_had_and_what_was_never_taken_does_not(
    replays: ReplayStack, outcome: str | None, is_refused: bool
) -> None:
    old, new = replays.keep("a", ago=2 * DAY), replays.keep("a", ago=3600)
    replays.log_accepted(old, "chat", ago=2 * DAY)
    replays.log_accepted(new, "later")
    if outcome is not None:
        replays.log_attempt(new, "later", outcome)
    words = ("later", "--event", old.id, "--yes")
    if is_refused:
        assert "had later events" in refusal(replays, *words)[0]
    else:
        assert replays.run(*words) == 0


@pytest.mark.parametrize("outcome", ["dead_lettered", "filtered"])
def test_what_was_delivered_counts_as_had_however_a_replay_of_it_ended(replays: ReplayStack, outcome: str) -> None:
    """The last attempt alone counted: a later event that was delivered, and then replayed in vain, was not had."""
    old, new = replays.keep("a", ago=2 * DAY), replays.keep("a", ago=3600)
    replays.log_accepted(new, "later")
    replays.log_attempt(new, "later", "delivered")
    replays.log_attempt(new, "later", outcome, ago=60)
    assert "had later events" in refusal(replays, "later", "--event", old.id, "--yes")[0]


def test_another_destinations_later_events_do_not_count(replays: ReplayStack) -> None:
    old, new = replays.keep("a", ago=2 * DAY), replays.keep("a", ago=3600)
    replays.log_accepted(new, "chat")
    replays.log_attempt(new, "chat")
    assert replays.run("later", "--event", old.id, "--yes") == 0


def test_without_the_log_it_is_not_known_what_a_destination_had(replays: ReplayStack, capsys: CapSys) -> None:
    replays.keep("a", ago=3600)
    del replays.dlq.outputs["IngestLogGroupName"]
    said, steps = refusal(replays, "later", "--since", "1d", "--yes")
    assert said.startswith("what later had already is not known")
    assert "--allow-stale sends without knowing." in steps
    assert replays.run("later", "--since", "1d", "--allow-stale", "--yes") == 0
    assert len(replays.queued()) == 1


def test_what_was_accepted_tomorrow_by_a_clock_that_is_behind_is_replayed(replays: ReplayStack) -> None:
    kept = replays.keep("a", ago=-DAY)
    assert replays.run("later", "--since", "1d", "--yes") == 0
    assert replays.ids() == [kept.id]


def test_an_object_that_was_altered_is_not_replayed(replays: ReplayStack, capsys: CapSys) -> None:
    good, bad = replays.keep("a", ago=3600), replays.keep("b", ago=3600)
    body = replays.s3.get_object(Bucket="archive", Key=str(bad.key))["Body"].read()
    replays.s3.put_object(Bucket="archive", Key=str(bad.key), Body=body.replace(b"updated", b"deleted"))
    assert replays.run("later", "--since", "1d", "--yes") == 0
    assert replays.ids() == [good.id]
    assert "altered in the archive" in capsys.readouterr().out
    assert "altered in the archive" in refusal(replays, "later", "--event", bad.id, "--yes")[0]


def test_an_object_that_was_overwritten_with_one_that_fits_is_not_replayed(
    replays: ReplayStack, capsys: CapSys
) -> None:
    """With the hash computed again it fits: `archive verify` called it altered, and `replay` sent what it said."""
    good, bad = replays.keep("a", ago=3600), replays.keep("b", ago=3600)
    forged = structs.replace(record_of(bad.task, bad.task.raw), names={"b": "forged"})
    replays.s3.put_object(Bucket="archive", Key=str(bad.key), Body=encode(forged))
    assert replays.run("later", "--since", "1d", "--yes") == 0
    assert replays.ids() == [good.id]
    assert f"left out: {bad.key}: it was altered in the archive: it was overwritten" in capsys.readouterr().out


def test_an_object_that_is_gone_when_its_turn_comes_is_said(replays: ReplayStack, capsys: CapSys) -> None:
    gone, there = replays.keep("a", ago=7200), replays.keep("b", ago=3600)
    replays.stop_at("before", 1, Killed)
    with pytest.raises(Killed):
        replays.run("later", "--since", "1d", "--yes")
    replays.dlq.client.recover()
    [version] = replays.s3.list_object_versions(Bucket="archive", Prefix=str(gone.key))["Versions"]
    replays.s3.delete_object(Bucket="archive", Key=str(gone.key), VersionId=version["VersionId"])
    assert replays.run("--resume", *unfinished(), "--yes") == 1
    assert replays.ids() == [there.id]
    assert f"not sent: {gone.key}: it is not in the archive any more" in capsys.readouterr().out


def test_events_of_the_dead_letters_go_to_another_destination_and_the_letters_stay(replays: ReplayStack) -> None:
    dead = [replays.dlq.die("chat", "a"), replays.dlq.die("line", "b"), replays.dlq.die("chat", "a")]
    replays.dlq.not_an_event()
    replays.clock.advance(60)
    assert replays.run("later", "--from-dlq", "--yes") == 0
    assert replays.ids() == [each.event_id for each in dead]
    assert {each.destination for each in replays.tasks()} == {"later"}
    assert len(replays.dlq.letters()) == 4
    assert replays.dlq.held() == []


def test_a_stack_of_a_release_that_knows_no_replays_is_sent_none(replays: ReplayStack) -> None:
    """Its functions read no mark, so that a destination would have taken the events for live ones."""
    replays.dlq.die("chat", "a")
    del replays.dlq.outputs["ArchiveBucketName"]
    said, steps = refusal(replays, "later", "--from-dlq", "--yes")
    assert said == "the stack flagcast has no output ArchiveBucketName"
    assert any("of an earlier release" in each for each in steps)
    assert replays.queued() == []


def test_a_replayed_event_that_died_is_redriven_as_the_replay_that_it_was(replays: ReplayStack, dlq: Dlq) -> None:
    replays.keep("a", ago=3600)
    assert replays.run("later", "--since", "1d", "--yes") == 0
    [stored] = replays.queued()
    dlq.simulator.queue(dlq.url).messages.clear()
    dlq.put(stored.body, reason="rejected", destination="later")
    assert dlq.run("redrive", "--yes", "--no-wait") == 0
    [again] = replays.queued()
    assert (again.body, again.group) == (stored.body, stored.group)


def test_as_json_it_is_one_object_for_programs(replays: ReplayStack, capsys: CapSys) -> None:
    kept = replays.keep("a", ago=3600)
    assert replays.run("later", "--since", "1d", "--json", "--yes") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "replay": said["replay"],
        "destination": "later",
        "events": 1,
        "first_accepted_at": kept.task.received_at,
        "last_accepted_at": kept.task.received_at,
        "by_kind": {"flag updated": 1},
        "rejected": {},
        "unusable": [],
        "delivered_before": 0,
        "later": [],
        "later_of_unknown_subject": 0,
        "log_begins_at": None,
        "sent": 1,
        "missing": [],
    }
    assert "cannot ask" in refusal(replays, "later", "--since", "1d", "--json")[0]


def test_the_deployed_configuration_counts_not_the_checkouts(
    replays: ReplayStack, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    replays.keep("a", ago=3600)
    replays.dlq.config.write_text(CONFIGURATION.replace("  later:", "  other:"))
    assert "no destination later" in refusal(replays, "later", "--since", "1d", "--yes")[0]


def test_a_replay_of_a_replay_has_an_id_of_its_own(replays: ReplayStack) -> None:
    kept = replays.keep("a", ago=3600)
    for _ in range(2):
        assert replays.run("later", "--event", kept.id, "--yes") == 0
    one, other = replays.tasks()
    assert one.event_id == other.event_id == kept.id
    assert isinstance(one.replay, Replay)
    assert one.replay != other.replay
    assert structs.replace(one, replay=None, id="") == structs.replace(other, replay=None, id="")
