from flagcast.core.fan_out import fan_out, identify
from flagcast.core.routing import message_group_id, subject
from flagcast.core.task import Task, decode, deduplication_id, event_id, task
from tests.support.captures import captured
from tests.unit.making import RECEIVED_AT, body, destination, event_of

TIMED = body(payload={"key": "a"}, timestamp="2026-01-02T03:04:05Z")
UNTIMED = body(payload={"key": "a"})


def identity(raw: bytes, request_id: str, *, dedupe: bool = True) -> str:
    return identify("flipt", raw, event_of(raw), dedupe=dedupe, request_id=request_id)


def test_a_repeat_of_a_body_with_a_timestamp_gets_the_same_event_id() -> None:
    assert identity(TIMED, "request-1") == identity(TIMED, "request-2") == event_id("flipt", TIMED)


def test_each_try_of_a_real_server_gets_the_same_event_id_and_other_events_another() -> None:
    tries = [each.body for each in captured("flipt-1.28.0/retry-until-200")]
    assert {raw: {identity(raw, f"r{at}") for at in range(2)} for raw in tries} == {
        raw: {event_id("flipt", raw)} for raw in tries
    }
    assert len(tries) > len(set(tries)) > 1
    assert len({identity(raw, "r") for raw in tries}) == len(set(tries))


def test_a_body_without_a_timestamp_is_an_event_of_its_own_at_every_request() -> None:
    assert identity(UNTIMED, "request-1") != identity(UNTIMED, "request-2")
    for empty in (body(timestamp=""), body(timestamp=None), body(timestamp=7)):
        assert identity(empty, "request-1") != identity(empty, "request-2")


def test_a_source_that_does_not_dedupe_makes_an_event_of_every_request() -> None:
    assert identity(TIMED, "request-1", dedupe=False) != identity(TIMED, "request-2", dedupe=False)


def test_an_event_becomes_one_message_for_each_destination_that_wants_it() -> None:
    routes = {
        "everything": destination(),
        "rules": destination(events=["rule:*"]),
        "in-line": destination(events=["flag:updated"], ordering="destination"),
        "loose": destination(ordering="none"),
    }
    event = event_of(TIMED)
    entries = fan_out("evt_1", "flipt", RECEIVED_AT, event, routes)
    assert list(entries) == ["everything", "in-line", "loose"]
    for name, entry in entries.items():
        carried = decode(entry.body)
        assert isinstance(carried, Task)
        assert carried == task("evt_1", "flipt", name, RECEIVED_AT, TIMED)
        assert entry.deduplication == deduplication_id(carried.id)
        assert entry.group == message_group_id(name, routes[name].ordering, subject(event), carried.id)
        assert entry.attributes == {}
    assert len({entry.group for entry in entries.values()}) == 3


def test_an_event_that_nobody_wants_becomes_no_message() -> None:
    assert fan_out("evt_1", "flipt", RECEIVED_AT, event_of(TIMED), {"rules": destination(events=["rule:*"])}) == {}
