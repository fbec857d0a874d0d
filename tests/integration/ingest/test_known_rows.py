"""What Flipt has, kept in the state table: the rows, and what ingest does while they cannot be had."""

import json
import time
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

import pytest

from flagcast.edges.aws.flipt_state_table import FliptStateTable
from flagcast.errors import StateUnavailable
from flagcast.flipt_state.change_tracker import Stored
from flagcast.flipt_state.row import UNKNOWN, Accepted, Row
from flagcast.primitives.duration import DAY
from tests.integration.ingest.hanging import MANNERS, hang, timed
from tests.integration.ingest.harness import EVENT, WITHIN, Ingest, destination, operators
from tests.support.faulty_aws import Manner
from tests.support.state_table import TABLE, create
from tests.support.time_limits import PATIENCE

NOW = 1_767_225_600.0
ROW = Row(state={"key": "a"}, at=5, recent=(Accepted(5, 5000, "hash", 0),))
LATER = Accepted(6, 6000, "other", "request")


def in_time() -> float:
    return time.monotonic() + PATIENCE


@pytest.fixture
def table(aws: None) -> Any:
    return create(operators("dynamodb"))


@pytest.fixture
def rows(table: Any) -> FliptStateTable:
    return FliptStateTable(table, TABLE, lambda: NOW)


def test_a_row_is_written_only_over_the_version_that_was_read(rows: FliptStateTable) -> None:
    assert rows.read("known#a", ["known#b"], in_time()) == (Stored(UNKNOWN, 0), {})
    assert rows.write("known#a", ROW, 0, in_time())
    assert not rows.write("known#a", UNKNOWN, 0, in_time())
    assert rows.read("known#b", ["known#a"], in_time()) == (Stored(UNKNOWN, 0), {"known#a": ROW})
    assert rows.read("known#a", [], in_time()) == (Stored(ROW, 1), {"known#a": ROW})
    assert rows.write("known#a", UNKNOWN, 1, in_time())
    assert rows.read("known#a", [], in_time())[0] == Stored(UNKNOWN, 2)


def test_an_event_is_added_to_a_row_that_is_there_or_not_and_moves_its_version(rows: FliptStateTable) -> None:
    rows.write("known#a", ROW, 0, in_time())
    for key in ("known#a", "known#b"):
        rows.add(key, LATER, in_time())
        rows.add(key, LATER, in_time())
    assert rows.read("known#a", [], in_time())[0] == Stored(Row(at=5, recent=(*ROW.recent, LATER)), 3)
    assert rows.read("known#b", [], in_time())[0] == Stored(Row(recent=(LATER,)), 2)
    assert not rows.write("known#a", ROW, 1, in_time())


def test_a_row_goes_away_400_days_after_its_last_event_and_30_days_after_a_deletion(
    rows: FliptStateTable, table: Any
) -> None:
    rows.write("known#a", ROW, 0, in_time())
    rows.write("known#b", Row(is_deleted=True), 0, in_time())
    rows.add("known#c", LATER, in_time())
    items = {each["key"]["S"]: int(each["expires"]["N"]) for each in table.scan(TableName=TABLE)["Items"]}
    assert items == {"known#a": NOW + 400 * DAY, "known#b": NOW + 30 * DAY, "known#c": NOW + 400 * DAY}


@pytest.mark.parametrize(
    "junk",
    [
        {"document": {"S": "{"}},
        {"document": {"N": "1"}},
        {"document": {"S": json.dumps({"at": 10**18})}},
        {"document": {"S": json.dumps({"state": {"a": 1}, "state_at": 10**18})}},
        {"unsettled": {"L": [{"S": "1"}]}},
    ],
)
def test_a_row_that_cannot_be_read_is_none_and_keeps_its_version(
    rows: FliptStateTable, table: Any, junk: dict[str, Any]
) -> None:
    table.put_item(TableName=TABLE, Item={"key": {"S": "known#a"}, "version": {"N": "7"}, **junk})
    assert rows.read("known#a", [], in_time()) == (Stored(None, 7), {})
    assert rows.write("known#a", ROW, 7, in_time())


@pytest.mark.parametrize("version", [{"S": "seven"}, {"N": "1.5"}, {"NULL": True}])
def test_a_row_whose_version_cannot_be_read_is_no_answer_and_names_nothing(
    rows: FliptStateTable, table: Any, version: dict[str, Any]
) -> None:
    table.put_item(TableName=TABLE, Item={"key": {"S": "known#a"}, "version": version})
    with pytest.raises(StateUnavailable, match="version cannot be read"):
        rows.read("known#a", [], in_time())
    assert rows.read("known#b", ["known#a"], in_time()) == (Stored(UNKNOWN, 0), {})


class Partly:
    """A table that processes some of what it is asked."""

    def __init__(self, unprocessed: str) -> None:
        self._unprocessed = unprocessed

    def batch_get_item(self, **_: object) -> dict[str, Any]:
        keys = {TABLE: {"Keys": [{"key": {"S": self._unprocessed}}]}}
        return {"Responses": {TABLE: []}, "UnprocessedKeys": keys}


def test_what_was_not_processed_is_no_answer_unless_it_only_says_names() -> None:
    assert (
        FliptStateTable(Partly("known#b"), TABLE, lambda: NOW).read("known#a", ["known#b"], in_time())[0].version == 0
    )
    with pytest.raises(StateUnavailable, match="the row was not read"):
        FliptStateTable(Partly("known#a"), TABLE, lambda: NOW).read("known#a", ["known#b"], in_time())


def test_past_the_deadline_the_table_is_not_asked(rows: FliptStateTable) -> None:
    with pytest.raises(StateUnavailable, match="no time is left"):
        rows.read("known#a", [], time.monotonic())


def flag(enabled: bool, **more: object) -> bytes:
    wire = json.loads(EVENT)
    payload = {"key": "checkout", "name": "Checkout", "namespace_key": "production", "enabled": enabled}
    return json.dumps({**wire, "type": "flag", "action": "updated", "payload": payload, **more}).encode()


def known(ingest: Ingest) -> list[Any]:
    return [each.task.get("known", {}) for each in ingest.drain()]


def test_on_off_on_within_a_second_is_three_events_that_say_what_changed(ingest: Ingest) -> None:
    answers = [ingest.signed(flag(enabled)) for enabled in (True, False, True, True)]
    ids = [each.body["event_id"] for each in answers]
    assert len(set(ids)) == 3
    assert ids[2] == ids[3]
    changed = [each.get("changes") for each in known(ingest)]
    assert changed == [
        None,
        [{"field": "enabled", "before": True, "after": False}],
        [{"field": "enabled", "before": False, "after": True}],
    ]


def test_ten_denied_deletes_are_ten_events(ingest: Ingest) -> None:
    wire = {**json.loads(EVENT), "type": "flag", "action": "deleted", "payload": None, "status": "denied"}
    assert len({ingest.signed(json.dumps(wire).encode()).body["event_id"] for _ in range(10)}) == 10
    assert ingest.waiting() == 10


def test_a_body_that_is_stored_apart_takes_what_is_known_along(ingest: Ingest) -> None:
    ingest.signed(flag(enabled=True))
    ingest.signed(flag(enabled=False, more="x" * 300_000))
    first, second = ingest.drain()
    assert "body_ref" in second.task
    assert second.task["known"]["is_known"]
    assert first.task["event_id"] != second.task["event_id"]


@pytest.mark.parametrize("operation", ["BatchGetItem", "PutItem"])
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "AccessDeniedException", "unreachable"])
def test_while_the_table_fails_events_are_accepted_counted_and_told_to_the_row(
    ingest: Ingest, operation: str, code: str
) -> None:
    ingest.signed(flag(enabled=True))
    ingest.faults.fail(operation, code)
    during = ingest.signed(flag(enabled=False))
    assert during.status == HTTPStatus.OK
    failures = [each for each in ingest.output.lines if each["event"] == "state.failed"]
    assert [(each["action"], each["StateFailures"]) for each in failures] == [("settle an event", 1)]
    ingest.faults.recover()
    assert ingest.signed(flag(enabled=False)).body == during.body
    assert [each.get("is_known", False) for each in known(ingest)] == [False, False]


@pytest.mark.parametrize(
    "junk",
    [
        {"version": {"S": "seven"}},
        {"document": {"S": json.dumps({"state": {"a": 1}, "state_at": 10**18})}},
        {"document": {"S": json.dumps({"state": {"enabled": {"bytes": "x", "sha256": 3}}})}},
        {"document": {"S": json.dumps({"state": {"enabled": [[]]}, "recent": [[None, 10**20, "x", 0]]})}},
    ],
)
def test_whatever_is_in_its_row_an_event_is_accepted(ingest: Ingest, junk: dict[str, Any]) -> None:
    # Bug: a version that is no number, a time after the year 9999 or a digest of the wrong types made the answer a 503.
    key = {"key": {"S": "known#flipt#flag#production/checkout"}, "version": {"N": "1"}}
    ingest.table.put_item(TableName=TABLE, Item={**key, **junk})
    assert [ingest.signed(flag(enabled)).status for enabled in (True, False)] == [HTTPStatus.OK] * 2
    assert ingest.waiting() == 2


def test_what_could_not_even_be_added_is_added_before_the_next_event(ingest: Ingest) -> None:
    for operation in ("BatchGetItem", "UpdateItem"):
        ingest.faults.fail(operation, "InternalServerError")
    during = ingest.signed(flag(enabled=False))
    ingest.faults.recover()
    assert ingest.signed(flag(enabled=False)).body == during.body
    assert ingest.waiting() == 1


@pytest.mark.parametrize("manner", MANNERS)
def test_a_table_that_hangs_holds_an_event_up_for_two_seconds_at_most(
    ingest: Ingest, bad_day: ExitStack, manner: Manner, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang(ingest, bad_day, manner, "DYNAMODB")
    # On a busy machine the send after it takes long too, which is not what this is about.
    monkeypatch.setattr("flagcast.edges.wiring.ingest_request.PATIENCE", PATIENCE)
    began = time.monotonic()
    answer = timed(ingest)
    assert answer.status == HTTPStatus.OK
    assert time.monotonic() - began < 2 * WITHIN + PATIENCE
    assert ingest.waiting() == 1


def test_turned_off_equal_bodies_of_a_second_are_one_event_and_the_table_is_not_asked(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGCAST_TRACK_CHANGES", "off")
    ingest.start()
    ingest.configure(destinations={"one": destination()})
    for enabled in (True, False, True):
        assert ingest.signed(flag(enabled)).status == HTTPStatus.OK
    assert known(ingest) == [{}, {}]
    assert not {"BatchGetItem", "PutItem", "UpdateItem"} & ingest.faults.calls.keys()
