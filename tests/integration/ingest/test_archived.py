"""The archive's share of what ingest queues: every accepted event, and what was authentic and is no event."""

import json
from http import HTTPStatus

import pytest

from flagcast.edges.wiring import resources
from flagcast.events.flipt_signature import flipt_signature
from flagcast.tasks.task import event_id
from tests.integration.ingest.harness import EVENT, Ingest, Stored, bearer, destination, signature
from tests.support.captures import SECRET

ARCHIVE = "flagcast-archive"
NO_EVENT = b"\xff no event"


@pytest.fixture
def archiving(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    """A stack whose archive is on."""
    monkeypatch.setenv("FLAGCAST_ARCHIVE", "on")
    resources.settings.cache_clear()
    return ingest


def archived(stored: list[Stored]) -> list[Stored]:
    return [each for each in stored if each.task["destination"] == ARCHIVE]


def test_an_accepted_event_is_queued_for_the_archive_with_its_signature(archiving: Ingest) -> None:
    answer = archiving.signed()
    stored = archiving.drain()
    (kept,) = archived(stored)
    assert kept.raw == EVENT
    assert kept.task["signature"] == flipt_signature(EVENT, SECRET)
    assert "number" not in kept.task
    assert kept.task["event_id"] == answer.body["event_id"] == event_id("flipt", EVENT)
    assert [each for each in stored if "signature" in each.task] == [kept]


def test_the_answer_counts_the_destinations_of_the_configuration_and_the_log_names_the_archive(
    archiving: Ingest,
) -> None:
    assert archiving.signed().body["deliveries"] == 1
    (line,) = [each for each in archiving.output.lines if each["event"] == "event.accepted"]
    assert line["destinations"] == ["everything", ARCHIVE]


def test_an_event_that_no_destination_wants_is_archived(archiving: Ingest) -> None:
    archiving.configure(destinations={"tokens": destination("token:*")})
    assert archiving.signed().body["deliveries"] == 0
    assert archiving.delivered_to() == {ARCHIVE: 1}


def test_an_event_that_came_by_a_token_has_no_signature(archiving: Ingest) -> None:
    archiving.post(EVENT, [*bearer(), *signature(EVENT)[1:]], source="template")
    (kept,) = archived(archiving.drain())
    assert "signature" not in kept.task


def test_an_event_that_its_request_makes_one_of_its_own_says_what_its_id_was_made_with(archiving: Ingest) -> None:
    body = b'{"type": "flag", "action": "updated"}'
    identity = archiving.signed(body).body["event_id"]
    (kept,) = archived(archiving.drain())
    assert identity != event_id("flipt", body)
    assert identity == event_id("flipt", body, kept.task["number"])


def test_the_third_of_three_changes_within_a_second_says_its_number(archiving: Ingest) -> None:
    event = json.loads(EVENT)
    off, on = (
        json.dumps({**event, "payload": {**event["payload"], "enabled": enabled}}).encode() for enabled in (False, True)
    )
    for body in (on, off, on):
        archiving.signed(body)
    kept = archived(archiving.drain())
    assert [each.task.get("number") for each in kept] == [None, "1", "2"]
    assert [event_id("flipt", each.raw, each.task.get("number")) for each in kept] == [
        each.task["event_id"] for each in kept
    ]


def test_a_resend_is_archived_once(archiving: Ingest) -> None:
    for _ in range(2):
        assert archiving.signed().status == HTTPStatus.OK
    assert archiving.delivered_to()[ARCHIVE] == 1


def test_a_large_event_is_stored_once_and_the_archive_claims_it(archiving: Ingest) -> None:
    body = json.dumps({**json.loads(EVENT), "more": "x" * 300_000}).encode()
    identity = archiving.signed(body).body["event_id"]
    (kept,) = archived(archiving.drain())
    assert archiving.bodies() == {kept.task["body_ref"]: body} == {f"bodies/{identity}": body}
    assert kept.task["signature"] == flipt_signature(body, SECRET)


@pytest.mark.parametrize("body", [NO_EVENT, b"\xff" * 300_000], ids=["small", "large"])
def test_what_is_authentic_and_no_event_is_archived_beside_its_dead_letter(archiving: Ingest, body: bytes) -> None:
    for _ in range(2):
        assert archiving.signed(body, encoded=True).status == HTTPStatus.BAD_REQUEST
    (kept,) = archiving.drain()
    assert kept.task["destination"] == ARCHIVE
    assert kept.task["signature"] == flipt_signature(body, SECRET)
    assert kept.task["event_id"] == event_id("flipt", body)
    assert archiving.waiting(archiving.dead_letters) == 1


def test_what_anyone_can_send_is_not_archived_unless_it_is_an_event(archiving: Ingest) -> None:
    archiving.configure({"open": {"auth": "none"}})
    archiving.post(NO_EVENT, source="open", encoded=True)
    assert archiving.waiting() == 0
    assert archiving.post(source="open").status == HTTPStatus.OK
    assert archiving.delivered_to() == {"everything": 1, ARCHIVE: 1}


@pytest.mark.parametrize("body", [EVENT, NO_EVENT], ids=["event", "no event"])
def test_an_event_that_cannot_be_queued_for_the_archive_is_sent_again(archiving: Ingest, body: bytes) -> None:
    archiving.faults.refuse(lambda entry: json.loads(entry["MessageBody"])["destination"] == ARCHIVE, times=2)
    assert archiving.signed(body, encoded=True).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert archiving.signed(body, encoded=True).status in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}
    assert archiving.delivered_to()[ARCHIVE] == 1


def test_an_archive_that_is_off_gets_nothing(ingest: Ingest) -> None:
    ingest.signed()
    ingest.signed(NO_EVENT, encoded=True)
    assert ingest.delivered_to() == {"everything": 1}
