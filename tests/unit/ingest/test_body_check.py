import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.events.event import Event, InvalidEvent, parse
from flagcast.events.flipt_signature import flipt_signature
from flagcast.ingest.body_check import RESERVED, Probe, TooOld, probe, take
from flagcast.primitives.duration import Duration
from tests.unit.builders import JSON, body

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOUR = Duration(3600)


def stamped(timestamp: object) -> bytes:
    return json.dumps({"type": "flag", "action": "updated", "timestamp": timestamp}).encode()


@given(payload=JSON, timestamp=st.text())
def test_an_event_of_flipts_is_what_it_was_before(payload: object, timestamp: str) -> None:
    raw = body(payload=payload, timestamp=timestamp)
    assert take(raw, None, NOW.timestamp()) == parse(raw)


def test_what_is_no_event_is_none_whatever_its_age() -> None:
    assert take(b"{}", HOUR, NOW.timestamp()) == InvalidEvent("no type")


def test_the_probe_is_a_probe_and_no_event() -> None:
    raw = probe("2026-01-02T03:04:05Z")
    taken = take(raw, HOUR, NOW.timestamp())
    assert isinstance(taken, Probe)
    assert taken.event == parse(raw)
    assert (taken.event.type, taken.event.action, taken.event.payload) == ("flagcast", "probe", None)


def test_a_probe_stays_a_probe_whatever_it_carries() -> None:
    raw = json.dumps({"type": "flagcast", "action": "probe", "payload": {"key": "x"}, "status": "denied"}).encode()
    assert isinstance(take(raw, None, 0), Probe)


@pytest.mark.parametrize("action", ["trouble", "recovered", "created", "Probe", "probe ", "probes"])
def test_a_source_can_send_no_other_event_of_flagcasts_own_type(action: str) -> None:
    raw = json.dumps({"type": "flagcast", "action": action}).encode()
    assert take(raw, None, 0) == InvalidEvent(RESERVED)


@pytest.mark.parametrize("kind", ["Flagcast", "flagcast ", "flagcasts", "flag"])
def test_a_type_that_is_like_flagcasts_own_is_another(kind: str) -> None:
    assert isinstance(take(json.dumps({"type": kind, "action": "probe"}).encode(), None, 0), Event)


@pytest.mark.parametrize(
    ("timestamp", "detail"),
    [
        ("2026-01-02T03:04:05Z", None),
        ("2026-01-02T02:04:05Z", None),
        ("2026-01-02T02:04:04Z", "3601 s old; max_age is 3600 s"),
        ("2026-01-02T04:04:04+02:00", "3601 s old; max_age is 3600 s"),
        ("2026-01-02T04:04:05+02:00", None),
        ("2026-01-02T02:04:04.999Z", "3600 s old; max_age is 3600 s"),
        ("2036-01-02T03:04:05Z", None),
        ("0001-01-01T00:00:00+14:00", "63902970245 s old; max_age is 3600 s"),
    ],
)
def test_an_event_is_too_old_once_it_is_older_than_max_age(timestamp: str, detail: str | None) -> None:
    taken = take(stamped(timestamp), HOUR, NOW.timestamp())
    assert taken == (parse(stamped(timestamp)) if detail is None else TooOld(detail))


@pytest.mark.parametrize(
    "timestamp", [None, "", 0, 1767323045, "now", "2026-01-02", "2026-01-02T03:04:05", "02 Jan 26 03:04 UTC", {}]
)
def test_under_max_age_an_event_without_a_readable_timestamp_is_rejected_and_else_accepted(timestamp: object) -> None:
    raw = stamped(timestamp)
    assert take(raw, HOUR, NOW.timestamp()) == TooOld("no readable timestamp")
    assert isinstance(take(raw, None, NOW.timestamp()), Event)


@given(st.text())
def test_a_timestamp_is_never_quoted_and_never_fails(timestamp: str) -> None:
    taken = take(stamped(timestamp), HOUR, NOW.timestamp())
    assert isinstance(taken, Event | TooOld)
    assert not isinstance(taken, TooOld) or len(timestamp) < 3 or timestamp not in taken.detail


def test_a_probe_is_held_to_max_age_so_that_a_recorded_one_is_of_no_use_later() -> None:
    raw = probe(f"{NOW - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}")
    assert take(raw, HOUR, NOW.timestamp()) == TooOld("7200 s old; max_age is 3600 s")


def test_the_body_of_a_probe_has_the_shape_of_flipts_events() -> None:
    raw = probe("2026-01-02T03:04:05Z")
    assert list(json.loads(raw)) == ["version", "type", "action", "metadata", "payload", "timestamp", "status"]
    assert len(flipt_signature(raw, "s")) == 64
