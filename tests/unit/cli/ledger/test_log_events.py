"""From log lines to rows."""

import json
from typing import Any

import pytest

from flagcast_cli.ledger.log_events import Lines
from flagcast_cli.ledger.log_line import LogEvent, log_event
from flagcast_cli.ledger.rows import Attempt, Event, Rejection, Row

ACCEPTED = {
    "event": "event.accepted", "event_id": "evt_1", "source": "flipt", "type": "flag", "action": "updated",
    "denied": False, "subject": "0123456789abcdef", "namespace": "production", "flag": "f", "resource": "f",
    "actor": "ada", "title": "ada saved f",
    "changes": [{"field": "enabled", "before": False, "after": True}], "destinations": ["chat"], "duration_ms": 20,
    "EventsAccepted": 1, "_aws": {},
}  # fmt: skip
ATTEMPTED = {
    "event": "delivery.attempted", "event_id": "evt_1", "destination": "chat", "message_id": "m", "attempt": 2,
    "receives": 3, "outcome": "retrying", "duration_ms": 51, "status": 503, "answer": "busy", "waits_for": "retry",
    "next_attempt_at": "2026-11-27T10:30:04.500Z", "gives_up_at": "2026-11-28T10:30:00.000Z", "new_field": [1],
}  # fmt: skip


def read(*messages: str | dict[str, Any], lines: Lines | None = None, stream: str = "s") -> list[Row]:
    reader = lines or Lines()
    texts = [each if isinstance(each, str) else json.dumps(each, separators=(",", ":")) + "\n" for each in messages]
    events = [LogEvent(f"id-{number}", stream, 1000 + number, text) for number, text in enumerate(texts)]
    return [row for each in events for row in reader.read(each)]


def test_an_accepted_event_is_a_row() -> None:
    assert read(ACCEPTED) == [
        Event(
            id="id-0", event_id="evt_1", at=1000, source="flipt", type="flag", action="updated", destinations=("chat",),
            subject="0123456789abcdef", namespace="production", flag="f", resource="f", actor="ada",
            title="ada saved f",
            changes='[{"field":"enabled","before":false,"after":true}]',
        )
    ]  # fmt: skip


def test_an_attempt_is_a_row_and_fields_of_a_newer_version_are_passed_over() -> None:
    assert read({**ATTEMPTED, "replay": "rpl_1"}) == [
        Attempt(
            id="id-0", event_id="evt_1", destination="chat", at=1000, state="retrying", message_id="m", attempt=2,
            receives=3, duration_ms=51, status=503, answer="busy", waits_for="retry", next_attempt_at=1795775404500,
            gives_up_at=1795861800000, replay="rpl_1",
        )
    ]  # fmt: skip


def test_a_request_that_was_rejected_is_a_row_without_anything_of_the_request() -> None:
    rejected = {"event": "event.rejected", "source": "flipt", "reason": "unauthorized", "detail": "", "_aws": {}}
    assert read(rejected) == [Rejection("id-0", 1000, "flipt", "unauthorized")]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"outcome": "delivered"}, "delivered"),
        ({"outcome": "filtered"}, "filtered"),
        ({"outcome": "dead_lettered"}, "dead-lettered"),
        ({"outcome": "put_off", "why": "Throttled"}, "rate-limited"),
        ({"outcome": "put_off", "why": "Paused"}, "paused"),
        ({"outcome": "put_off", "why": "CircuitOpen"}, "circuit-open"),
        ({"outcome": "put_off", "why": "Faulty", "next_attempt_at": "soon"}, "waiting"),
        ({"outcome": "put_off"}, "waiting"),
    ],
)
def test_what_came_of_an_attempt_is_the_state_of_its_delivery(said: dict[str, str], state: str) -> None:
    [row] = read({"event": "delivery.attempted", "event_id": "evt_1", "destination": "chat", **said})
    assert isinstance(row, Attempt)
    assert (row.state, row.next_attempt_at) == (state, None)


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 8f507cfc-1a2b-4c3d-9e4f-5a6b7c8d9e0f Version: $LATEST\n",
        "REPORT RequestId: 8f507cfc-1a2b-4c3d-9e4f-5a6b7c8d9e0f\tDuration: 53.27 ms\n",
        '{"event":"of a newer version"}',
        '{"time":"2026","type":"platform.start"}',
        "",
        "\x00\ufffd",
        "[1",
    ],
)
def test_what_others_write_is_no_row_and_no_fault(text: str) -> None:
    lines = Lines()
    assert [row.id for row in read(text, ACCEPTED, lines=lines)] == ["id-1"]
    assert lines.unreadable == 0


@pytest.mark.parametrize(
    "odd",
    [
        {"event": "event.accepted"},
        {"event": "event.accepted", "event_id": 5},
        {"event": "delivery.attempted", "event_id": "evt_1"},
        {"event": ["event.accepted"]},
    ],
)
def test_a_line_of_flagcast_that_cannot_be_read_is_counted(odd: dict[str, Any]) -> None:
    lines = Lines()
    assert read(odd, lines=lines) == []
    assert lines.unreadable == 1


def test_a_line_in_three_pieces_is_one_row_though_another_stream_writes_between() -> None:
    whole = json.dumps(ACCEPTED, separators=(",", ":"))
    lines = Lines()
    assert read(whole[:50] + "\n", lines=lines) == []
    assert read("END RequestId: 8f507cfc\n", lines=lines, stream="other") == []
    assert read(whole[50:200], lines=lines) == []
    [row] = read(whole[200:] + "\n", lines=lines)
    assert row == read(ACCEPTED)[0]
    assert lines.unreadable == 0


def test_a_line_whose_rest_never_comes_is_counted_and_holds_nothing_up() -> None:
    lines = Lines()
    assert len(read('{"event":"event.accepted","event_id":', ACCEPTED, lines=lines)) == 1
    assert lines.unreadable == 1


def test_a_line_that_grows_without_end_is_given_up() -> None:
    lines = Lines()
    assert [row.id for row in read('{"event":"', "x" * (1 << 20), "x", ACCEPTED, lines=lines)] == ["id-3"]
    assert lines.unreadable == 1


def test_a_log_event_without_an_id_gets_one_of_what_it_says() -> None:
    found = {"logStreamName": "s", "timestamp": 1000, "message": "m", "ingestionTime": 1005}
    again, other = log_event(dict(found)), log_event({**found, "message": "n"})
    assert log_event(found) == again
    assert log_event(found).id != other.id
    assert log_event({**found, "eventId": "37"}).id == "37"
