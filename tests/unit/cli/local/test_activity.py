import json
from datetime import UTC
from typing import Any

from flagcast_cli.ledger.log_line import LogEvent
from flagcast_cli.local.activity import Activity

AT = 1767323045000
"""2026-01-02 03:04:05 UTC."""
ACCEPTED = {
    "event": "event.accepted", "event_id": "evt_0123456789abcdef", "source": "flipt", "type": "flag",
    "action": "updated", "title": "ada turned on flag new-checkout", "destinations": ["archive", "chat"],
}  # fmt: skip
ATTEMPTED = {
    "event": "delivery.attempted", "event_id": "evt_0123456789abcdef", "destination": "chat", "message_id": "m",
    "attempt": 2, "receives": 2, "duration_ms": 12,
}  # fmt: skip


def lines(*logged: dict[str, Any] | str) -> list[str]:
    made = [each if isinstance(each, str) else json.dumps(each, separators=(",", ":")) for each in logged]
    events = [LogEvent(str(number), "stream", AT + number * 1000, each) for number, each in enumerate(made)]
    return [each.plain for each in Activity(UTC).lines(events)]


def test_an_accepted_event_is_shown_with_its_title_and_where_it_goes() -> None:
    assert lines(ACCEPTED) == ["03:04:05 accepted      ada turned on flag new-checkout → archive, chat evt_01234567"]
    assert lines({**ACCEPTED, "title": None, "destinations": []}) == [
        "03:04:05 accepted      flag updated → no destination evt_01234567"
    ]


def test_a_delivery_is_shown_with_title_attempt_answer_and_duration() -> None:
    delivered = {**ATTEMPTED, "outcome": "delivered", "status": 200, "answer": "ok"}
    assert lines(ACCEPTED, delivered)[1] == (
        "03:04:06 delivered     chat: ada turned on flag new-checkout, attempt 2, 200 “ok” in 12 ms evt_01234567"
    )


def test_a_retry_is_shown_with_its_reason_when_it_comes_and_when_it_is_given_up() -> None:
    retried = {
        **ATTEMPTED, "outcome": "retrying", "status": 503, "waits_for": "retry",
        "next_attempt_at": "2026-01-02T03:04:10.000Z", "gives_up_at": "2026-01-03T03:04:05.000Z",
    }  # fmt: skip
    assert lines(retried) == [
        "03:04:05 retrying      chat: attempt 2, 503 in 12 ms,"
        " next at 03:04:10, given up at 01-03 03:04:05 evt_01234567"
    ]


def test_a_delivery_that_waits_without_a_request_says_what_for() -> None:
    waits = {
        **ATTEMPTED, "attempt": 0, "outcome": "put_off", "why": "Faulty", "detail": "no such secret",
        "waits_for": "configuration", "next_attempt_at": "2026-01-02T03:05:05.000Z",
    }  # fmt: skip
    assert lines(waits) == [
        "03:04:05 waiting       chat: no such secret,"
        " the destination's configuration is faulty or missing, next at 03:05:05 evt_01234567"
    ]


def test_a_dead_letter_is_shown_with_its_reason_and_the_answer() -> None:
    dead = {**ATTEMPTED, "outcome": "dead_lettered", "reason": "rejected", "status": 422, "answer": "no segments"}
    assert lines(dead) == ["03:04:05 dead-lettered chat: attempt 2, rejected 422 “no segments” in 12 ms evt_01234567"]


def test_a_refused_request_is_shown_with_its_reason() -> None:
    refused = {"event": "event.rejected", "source": "flipt", "reason": "invalid_event", "detail": "no action"}
    unknown = {"event": "event.rejected", "source": "-", "reason": "unknown_source", "detail": ""}
    assert [each.rstrip() for each in lines(refused, unknown)] == [
        "03:04:05 refused       a request at source flipt, invalid_event: no action",
        "03:04:06 refused       a request, unknown_source: the configuration has no source of that name",
    ]


def test_what_is_no_line_of_flagcasts_or_tells_of_no_event_is_left_out() -> None:
    assert lines("START RequestId: 1", {"event": "state.failed"}) == []
