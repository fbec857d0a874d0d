"""`flagcast archive verify`: what it proves, what it finds, and what the log knows and the archive lacks."""

import json
from typing import Any

import pytest
from msgspec import structs

from flagcast.archive.record import encode
from flagcast.primitives.duration import DAY
from flagcast.tasks.outcomes import Answered, GiveUp, RetryIn
from flagcast_cli.archive import ledger_comparison, output
from flagcast_cli.console import CommandError
from tests.integration.cli.archive_harness import ArchiveStack, archive, ledger
from tests.integration.cli.ledger_harness import NOW

__all__ = ["archive", "ledger"]


def told(archive: ArchiveStack, capfd: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    capfd.readouterr()
    assert archive.run("verify", "--json", *words) == code
    read: dict[str, Any] = json.loads(capfd.readouterr().out)
    return read


def test_an_archive_that_is_as_it_was_written_is_proven(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        archive.keep(number)
    found = told(archive, capfd)
    assert (found["objects"], found["proven"], found["altered"], found["foreign"]) == (3, 3, [], [])
    assert found["unproven"] == {"unsigned": 0, "no_secret": 0, "other_secret": 0}
    assert found["log"]["deliveries"] == 3
    assert (found["log"]["lacking"], found["log"]["waiting"], found["log"]["dead_letters"]) == ([], 0, 0)


@pytest.mark.parametrize("at", [1, 100, -100, -2])
def test_one_flipped_bit_is_found_with_the_version_that_is_intact(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str], at: int
) -> None:
    keys = [archive.keep(number) for number in range(3)]
    intact = archive.flip(keys[1], at)
    found = told(archive, capfd, code=1)
    assert (found["proven"], found["altered_in_all"]) == (2, 1)
    [altered] = found["altered"]
    assert (altered["key"], altered["intact_version"]) == (str(keys[1]), intact)
    assert altered["version"] != intact
    assert "record_sha256" in altered["what"][0]


def test_a_body_that_was_replaced_with_every_hash_made_new_is_found(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    key = archive.keep(0, source="edge", secret="")
    forged = structs.replace(archive.record(1, source="edge", secret=""), event_id=key.event_id)
    archive.put(key, encode(forged))
    [altered] = told(archive, capfd, code=1)["altered"]
    assert altered["what"] == ["event_id is not made of this source, body and number"]


def test_an_object_that_was_overwritten_by_another_that_holds_is_found(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    # Signature, id and hashes do not cover who is named in it.
    key = archive.keep(0)
    archive.put(key, encode(structs.replace(archive.record(0), names={"a": "another"})))
    [altered] = told(archive, capfd, code=1)["altered"]
    assert altered["what"][0].startswith("overwritten at ")
    assert altered["intact_version"]


def test_the_same_bytes_again_are_no_finding(archive: ArchiveStack, capfd: pytest.CaptureFixture[str]) -> None:
    key = archive.keep(0)
    archive.put(key, archive.read(key))
    assert told(archive, capfd)["proven"] == 1


def test_a_deleted_object_is_found_with_the_version_that_is_there(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    key = archive.keep(0)
    archive.delete(key)
    found = told(archive, capfd, code=1)
    [altered] = found["altered"]
    assert altered["what"][0].startswith("deleted at ")
    assert altered["intact_version"]
    assert found["log"]["lacking"] == []


def test_what_came_without_a_signature_or_by_another_secret_is_unproven_and_no_fault(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.keep(0)
    archive.keep(1, secret="rotated")
    archive.keep(2, source="edge", secret="")
    archive.keep(3, source="gone", secret="unknown")
    found = told(archive, capfd)
    assert found["proven"] == 1
    assert found["unproven"] == {"unsigned": 1, "no_secret": 1, "other_secret": 1}
    found = told(archive, capfd, "--secret", "rotated", "--secret", "unknown")
    assert found["proven"] == 3


def test_an_event_that_the_log_says_was_delivered_and_that_is_not_there_is_missing(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.keep(0)
    lost = archive.keep(1)
    archive.lose(lost)
    found = told(archive, capfd, code=1)
    [lacking] = found["log"]["lacking"]
    assert lacking["event_id"] == lost.event_id
    assert lacking["source"] == "flipt"
    assert found["log"]["lacking_in_all"] == 1


def test_what_waits_or_is_a_dead_letter_is_counted_and_not_missing(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.log(archive.record(0), NOW - 60, Answered(403), RetryIn(60))
    archive.log(archive.record(1), NOW - 60, Answered(403), GiveUp("expired", "AccessDenied", 403))
    found = told(archive, capfd)["log"]
    assert (found["waiting"], found["dead_letters"], found["lacking"]) == (1, 1, [])
    assert archive.run("verify") == 0
    assert "flagcast dlq redrive --destination flagcast-archive" in capfd.readouterr().out


def test_what_is_older_than_the_archive_keeps_is_not_missed(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.ledger.parameters["ArchiveDays"] = "7"
    archive.log(archive.record(0), NOW - 8 * DAY)
    archive.log(archive.record(1), NOW - 6 * DAY)
    [lacking] = told(archive, capfd, code=1)["log"]["lacking"]
    assert lacking["event_id"] == archive.record(1).event_id


def test_the_log_is_read_in_parts(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_comparison, "_AT_ONCE", 2)
    monkeypatch.setattr(ledger_comparison, "MOST_KEPT", 3)
    for number in range(5):
        archive.log(archive.record(number), NOW - 60)
    found = told(archive, capfd, code=1)["log"]
    assert (found["deliveries"], len(found["lacking"]), found["lacking_in_all"]) == (5, 3, 5)


def test_a_time_and_a_source_choose_the_objects_and_the_deliveries(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.keep(0, NOW - 2 * DAY)
    archive.keep(1, NOW - 3600)
    archive.keep(2, NOW - 60)
    archive.keep(3, NOW - 60, source="edge", secret="")
    assert told(archive, capfd, "--since", "1d")["objects"] == 3
    found = told(archive, capfd, "--since", "2h", "--until", "10m")
    assert (found["objects"], found["log"]["deliveries"]) == (1, 1)
    found = told(archive, capfd, "--until", "1d")
    assert (found["objects"], found["log"]["deliveries"]) == (1, 1)
    assert told(archive, capfd, "--source", "edge")["objects"] == 1


def test_what_the_archive_did_not_write_is_listed_and_not_judged(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.keep(0)
    archive.put("flipt/notes.txt", b"hello")
    found = told(archive, capfd)
    assert (found["objects"], found["foreign"]) == (1, ["flipt/notes.txt"])


def test_an_archive_of_a_deleted_stack_is_verified_by_its_name(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.keep(0, is_logged=False)
    capfd.readouterr()
    assert archive.run("verify", "--json", "--bucket", "archive", "--stack", "gone", "--secret", "correct horse") == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["proven"], found["log"]) == (1, None)


def test_without_the_log_only_objects_are_looked_at(archive: ArchiveStack, capfd: pytest.CaptureFixture[str]) -> None:
    archive.log(archive.record(0), NOW - 60)
    assert told(archive, capfd, "--no-log")["log"] is None
    assert archive.ledger.logs.asked == []


def test_each_object_is_a_line_if_asked_for(archive: ArchiveStack, capfd: pytest.CaptureFixture[str]) -> None:
    keys = [archive.keep(number) for number in range(2)]
    archive.flip(keys[0], 5)
    assert archive.run("verify", "--each") == 1
    lines = [each.split("\t") for each in capfd.readouterr().out.splitlines() if "\t" in each]
    assert sorted((result, key) for result, key, _, _ in lines) == sorted(
        [("altered", str(keys[0])), ("proven", str(keys[1]))]
    )


def test_people_see_counts_first_and_then_what_is_wrong(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "MOST_SHOWN", 1)
    keys = [archive.keep(number) for number in range(3)]
    for key in keys[:2]:
        archive.flip(key, 5)
    for number in (10, 11):
        archive.log(archive.record(number), NOW - 60)
    assert archive.run("verify") == 1
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "3 objects in archive"
    assert [each.split()[0] for each in lines[1:3]] == ["1", "2"]
    assert lines.count("          and 1 more; --json lists them.") == 2
    assert "Compared with 5 deliveries in the log" in "\n".join(lines)


def test_no_secret_is_on_the_screen(archive: ArchiveStack, capfd: pytest.CaptureFixture[str]) -> None:
    archive.keep(0)
    archive.flip(archive.keep(1), 5)
    archive.run("verify", "--each", "--secret", "another-canary")
    captured = capfd.readouterr()
    for secret in ("correct horse", "another-canary"):
        assert secret not in captured.out + captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "soon"), "--since: soon is no time"),
        (("--each", "--json"), "--each and --json are two ways to print the same"),
        (("--source", "flop"), "archive has no event of a source flop"),
    ],
)
def test_what_was_typed_wrong_is_said(archive: ArchiveStack, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        archive.run("verify", *words)


def test_a_secret_that_is_not_there_is_said_and_leaves_its_events_unproven(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.secrets.delete_secret(SecretId="flagcast/flagcast/signing", ForceDeleteWithoutRecovery=True)
    archive.keep(0)
    assert archive.run("verify", "--json") == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out)["unproven"]["no_secret"] == 1
    assert "Without a secret of flipt" in captured.err


def test_an_archive_that_is_off_says_so_and_is_verified(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.keep(0)
    archive.ledger.parameters["ArchiveDays"] = "0"
    assert archive.run("verify") == 0
    captured = capfd.readouterr()
    assert captured.out.startswith("1 object in archive\n")
    assert "The archive is off (ArchiveDays is 0)" in captured.err


# The log has an event when ingest has answered, and the object is under the day on which it was received.
def test_an_event_that_was_received_before_midnight_and_logged_after_it_is_not_missed(
    archive: ArchiveStack, capfd: pytest.CaptureFixture[str]
) -> None:
    midnight = NOW - NOW % DAY
    record = archive.record(0, midnight - 0.01)
    archive.log(record, midnight + 0.01)
    assert record.key is not None
    archive.put(record.key, encode(record))
    found = told(archive, capfd, "--since", "today")
    assert (found["objects"], found["log"]["deliveries"], found["log"]["lacking"]) == (0, 1, [])
