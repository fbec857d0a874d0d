"""Which event is a change and which a resend, by the row of its thing: the sequences that a simpler rule got wrong."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from flagcast.errors import StateUnavailable
from flagcast.events.change_context import NOTHING, Change, Known
from flagcast.events.event import Event, parse
from flagcast.events.subject import subject
from flagcast.flipt_state.change_tracker import MOST_RULES, ChangeTracker, IdentifiedEvent, alone
from flagcast.flipt_state.resend_detection import FIRST, Arrival
from flagcast.flipt_state.row import MOST_RECENT, Accepted, Row, with_unsettled
from flagcast.ingest.fan_out import identify
from flagcast.primitives.timestamp import epoch_of
from flagcast.summaries.event_summary import summarise
from flagcast.tasks.task import decode, encode, event_digest, task
from tests.flipt_model.table import Table
from tests.unit.builders import JSON, event

SECOND = "2026-01-02T03:04:05Z"
NEXT = "2026-01-02T03:04:06Z"
ON = {"key": "a", "namespace_key": "default", "enabled": True}
OFF = {**ON, "enabled": False}
RULE = {"id": "r1", "flag_key": "a", "namespace_key": "default", "segment_key": "beta,staff"}
VARIANT = {"id": "v1", "flag_key": "a", "namespace_key": "default", "key": "blue"}
DISTRIBUTION = {"id": "d1", "rule_id": "r1", "variant_id": "v1", "rollout": 60}


class Journal:
    def __init__(self) -> None:
        self.said: list[str] = []

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        self.said.append(f"{action}: {error}")


class Ingest:
    """What ingest does with one body after another; its table fails while `fails` is set."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.table = Table(Random(0), 0)
        self.function = ChangeTracker(self.table, self.journal)
        self.requests = 0
        self.at = 1_767_323_045.5

    @property
    def fails(self) -> bool:
        return self.table.faults > 0

    @fails.setter
    def fails(self, value: bool) -> None:
        self.table.faults = 100 if value else 0

    def take(
        self,
        payload: Mapping[str, Any] | None,
        action: str = "updated",
        kind: str = "flag",
        timestamp: str = SECOND,
        *,
        taken: float | None = None,
        dedupe: bool = True,
        status: str = "success",
    ) -> tuple[str, IdentifiedEvent]:
        wire = {"type": kind, "action": action, "payload": payload, "timestamp": timestamp, "status": status}
        raw = json.dumps(wire).encode()
        read = parse(raw)
        assert isinstance(read, Event)
        self.requests += 1
        self.at += 0.01
        moment = epoch_of(timestamp) if dedupe else None
        second = None if moment is None else int(moment)
        taken_at = self.at if taken is None else taken
        arrival = Arrival(f"r{self.requests}", int(taken_at * 1000), second, event_digest("flipt", raw))
        understood = self.function.settle("flipt", read, arrival, 0)
        if understood.unsettled is not None:
            self.function.record(understood.unsettled, arrival, 0)
        return identify("flipt", raw, understood.number), understood

    def changes(self, payload: Mapping[str, Any], **how: Any) -> list[tuple[str, object, object]] | None:
        known = self.take(payload, **how)[1].known
        return [(each.field, each.before, each.after) for each in known.changes] if known.is_known else None


def test_on_off_on_within_a_second_is_three_events() -> None:
    # Bug: equal bodies within a second were one event, so every destination believed the opposite of what Flipt had.
    ingest = Ingest()
    ids = [ingest.take(each)[0] for each in (ON, OFF, ON, OFF, ON)]
    assert len(set(ids)) == 5
    assert ingest.take(ON)[0] == ids[-1]


def test_thirty_toggles_in_a_second_are_thirty_events_and_more_than_a_row_remembers() -> None:
    # Bug: 30 toggles in a second delivered 23.
    ingest = Ingest()
    assert len({ingest.take([ON, OFF][at % 2])[0] for at in range(30)}) == 30 > MOST_RECENT


def test_denied_events_are_alike_and_never_one() -> None:
    # Bug: ten denied deletes of ten flags were one event.
    ingest = Ingest()
    assert len({ingest.take(None, "deleted", status="denied")[0] for _ in range(10)}) == 10


def test_an_order_event_that_names_no_flag_is_an_event_of_its_own() -> None:
    # Bug: order events that name nothing were swallowed.
    ingest = Ingest()
    assert len({ingest.take({"rule_ids": ids}, kind="rule")[0] for ids in (["a"], ["b"], ["a"])}) == 3


def test_a_resend_has_the_id_and_the_changes_of_the_first() -> None:
    ingest = Ingest()
    ingest.take(ON)
    assert ingest.take(OFF) == ingest.take(OFF)
    assert ingest.changes(OFF) == [("enabled", True, False)]


def test_a_late_twin_of_a_request_that_timed_out_is_no_change() -> None:
    # Bug: the twin was settled after the next event and taken for a new change.
    ingest = Ingest()
    late = ingest.at + 0.001
    first, _ = ingest.take(ON)
    ingest.take(OFF)
    twin, understood = ingest.take(ON, taken=late)
    assert twin == first
    assert not understood.known.is_known


def test_a_late_twin_is_the_one_of_two_equal_changes_that_was_sent_just_before_it() -> None:
    ingest = Ingest()
    ids = [ingest.take(each)[0] for each in (ON, OFF, ON)]
    between = ingest.at - 0.015
    ingest.take(OFF)
    assert ingest.take(ON, taken=between)[0] == ids[0]
    assert ingest.take(ON, taken=1.0)[0] == ids[0]


def test_the_last_of_a_second_that_is_over_is_a_resend() -> None:
    ingest = Ingest()
    first, _ = ingest.take(ON)
    ingest.at += 1
    ingest.take(OFF, timestamp=NEXT)
    assert ingest.take(ON)[0] == first


def test_a_read_that_fails_before_the_same_body_swallows_nothing() -> None:
    # Bug: on, off, then on while the table failed, then off: the last was taken for a resend.
    ingest = Ingest()
    ids = [ingest.take(each)[0] for each in (ON, OFF)]
    ingest.fails = True
    ids.append(ingest.take(ON)[0])
    ingest.fails = False
    ids.append(ingest.take(OFF)[0])
    assert len(set(ids)) == 4


def test_while_the_table_fails_an_event_is_its_requests_and_a_resend_is_known_once_it_answers() -> None:
    ingest = Ingest()
    ingest.take(ON)
    ingest.fails = True
    failed, understood = ingest.take(OFF)
    assert understood.known == NOTHING
    assert ingest.journal.said == ["settle an event: no answer in time", "record an event: no answer in time"]
    ingest.fails = False
    assert ingest.take(OFF)[0] == failed
    assert ingest.take(ON)[1].known == Known(names={})


def test_what_could_not_be_written_is_written_before_the_next_event_and_what_is_left_is_tried_again() -> None:
    ingest = Ingest()
    ingest.fails = True
    for payload in (ON, OFF) * MOST_RECENT:
        ingest.take(payload)
    assert ingest.function.holds_unwritten
    ingest.fails = False
    ingest.take(ON)
    assert not ingest.function.holds_unwritten


def test_a_clock_that_runs_ahead_makes_nothing_after_it_unknown() -> None:
    # Bug: one clock far ahead made ten of thirteen events unknown.
    ingest = Ingest()
    ingest.take(ON, timestamp="2036-01-02T03:04:05Z")
    ingest.at += 1
    assert ingest.changes(OFF, timestamp=NEXT) == [("enabled", True, False)]


def test_an_event_older_than_the_last_makes_what_the_thing_is_unknown() -> None:
    ingest = Ingest()
    ingest.take(ON)
    ingest.at += 1
    ingest.take(OFF, timestamp=NEXT)
    assert ingest.changes({**ON, "enabled": None}) is None
    assert ingest.changes(ON, timestamp=NEXT) is None
    assert ingest.changes(OFF, timestamp=NEXT) == [("enabled", True, False)]


def test_what_was_created_changed_from_nothing_and_what_was_deleted_to_nothing() -> None:
    ingest = Ingest()
    assert ingest.changes(ON, action="created") == [("enabled", None, True)]
    assert ingest.changes({"key": "a"}, action="deleted") == [("enabled", True, None)]
    assert ingest.changes(ON) is None
    assert ingest.changes(OFF) == [("enabled", True, False)]


def test_what_is_deleted_twice_or_was_never_seen_is_unknown() -> None:
    ingest = Ingest()
    assert ingest.changes({"key": "a"}, action="deleted") is None
    assert ingest.changes({"key": "a", "force": True}, action="deleted") is None


def test_a_body_without_a_timestamp_and_one_of_a_source_that_does_not_deduplicate_move_the_row_all_the_same() -> None:
    ingest = Ingest()
    ingest.take(ON)
    assert ingest.changes(OFF, timestamp="") == [("enabled", True, False)]
    assert ingest.changes(ON, dedupe=False) == [("enabled", False, True)]
    assert len({ingest.take(ON, timestamp="")[0] for _ in range(3)}) == 3
    assert ingest.take(OFF)[1].number == 1


def test_where_a_requests_id_stands_for_a_number_the_next_of_that_second_gets_its_requests_too() -> None:
    ingest = Ingest()
    ingest.take(ON)
    ingest.fails = True
    ingest.take(OFF)
    ingest.fails = False
    assert ingest.take(ON)[1].number == "r3"


def test_a_row_that_cannot_be_read_is_begun_again_without_a_guess() -> None:
    ingest = Ingest()
    ids = [ingest.take(each)[0] for each in (ON, OFF)]
    for item in ingest.table.items.values():
        item["document"] = {"S": "{"}
    ids.append(ingest.take(ON)[0])
    assert ingest.journal.said == ["read a row: it cannot be read"]
    assert len(set(ids)) == 3
    assert ingest.take(ON)[0] == ids[-1]
    assert ingest.changes(OFF) is None
    assert ingest.changes(ON) == [("enabled", False, True)]


def test_one_that_writes_in_between_makes_the_row_be_read_again() -> None:
    ingest = Ingest()
    ingest.take(ON)
    ingest.table.others_write = 2
    assert ingest.changes(OFF) == [("enabled", True, False)]
    assert ingest.table.others_write == 0


def test_an_update_that_arrives_late_or_twice_stands_where_its_request_was_taken_in() -> None:
    # Bug: it stood last, and the next real change to that state was taken for its resend.
    late, last = Accepted(1, 10, "late", "r1"), Accepted(1, 20, "last", 0)
    settled = with_unsettled(Row(state=dict(ON)), (last,))
    assert settled.state is None
    assert with_unsettled(settled, (late, late)).recent == (late, last)
    assert with_unsettled(settled, (last,)) is settled


def test_a_distribution_belongs_to_its_rules_flag_and_says_its_variant_and_segments() -> None:
    # Bug: it arrived before its rule, and `event.namespace == "production"` dropped it.
    ingest = Ingest()
    ingest.take(RULE, "created", "rule")
    ingest.take(VARIANT, "created", "variant")
    ingest.take(DISTRIBUTION, "created", "distribution")
    _, understood = ingest.take({**DISTRIBUTION, "rollout": 33}, "updated", "distribution")
    assert understood.known == Known(
        is_known=True, changes=(Change("rollout", 60, 33),), previous=DISTRIBUTION, known_at="2026-01-02T03:04:05.000Z",
        names={"v1": "blue", "r1": "beta, staff"}, namespace="default", flag_key="a",
    )  # fmt: skip


def test_a_distribution_of_an_unknown_rule_keeps_the_message_group_that_it_began_with() -> None:
    ingest = Ingest()
    wire: dict[str, Any] = {"type": "distribution", "payload": DISTRIBUTION}
    first = ingest.take(DISTRIBUTION, "created", "distribution")[1].known
    ingest.take(RULE, "updated", "rule")
    then = ingest.take({**DISTRIBUTION, "rollout": 1}, "updated", "distribution")[1].known
    assert (then.namespace, then.flag_key) == ("default", "a")
    groups = [subject(structs.replace(event(**wire, action="updated"), known=each)) for each in (first, then)]
    assert groups == [("rule", "r1")] * 2


def test_a_process_remembers_a_rules_flag_while_the_table_fails_until_it_remembers_too_many() -> None:
    ingest = Ingest()
    ingest.take(RULE, "created", "rule")
    ingest.fails = True
    assert ingest.take(DISTRIBUTION, "created", "distribution")[1].known == Known(namespace="default", flag_key="a")
    ingest.fails = False
    for at in range(MOST_RULES):
        ingest.take({**RULE, "id": f"other-{at}"}, "created", "rule")
    ingest.fails = True
    assert ingest.take(DISTRIBUTION, "updated", "distribution")[1].known == NOTHING


def test_a_deleted_distribution_names_its_flag_itself() -> None:
    ingest = Ingest()
    whole = {**DISTRIBUTION, "flag_key": "a", "namespace_key": "default"}
    known = ingest.take(whole, "deleted", "distribution")[1].known
    assert (known.namespace, known.flag_key, known.subject) == ("default", "a", ())


def test_what_was_deleted_is_called_by_its_last_name() -> None:
    ingest = Ingest()
    ingest.take(VARIANT, "created", "variant")
    gone = {"id": "v1", "flag_key": "a", "namespace_key": "default"}
    assert ingest.take(gone, "deleted", "variant")[1].known.names == {"v1": "blue"}


def test_an_order_says_what_its_rules_are_for_and_is_known_as_long_as_none_came_or_went() -> None:
    ingest = Ingest()
    for rule, segment in (("r1", "beta"), ("r2", "staff"), ("r3", "all")):
        ingest.take({**RULE, "id": rule, "segment_key": segment}, "created", "rule")
    order = {"flag_key": "a", "namespace_key": "default"}
    ingest.take({**order, "rule_ids": ["r1", "r2"]}, kind="rule")
    known = ingest.take({**order, "rule_ids": ["r2", "r1"]}, kind="rule")[1].known
    assert (known.is_known, known.names) == (True, {"r1": "beta", "r2": "staff"})
    assert not ingest.take({**order, "rule_ids": ["r3", "r2", "r1"]}, kind="rule")[1].known.is_known


def test_rollouts_without_ids_are_events_by_their_flag_and_never_compared() -> None:
    ingest = Ingest()
    payload = {"flag_key": "a", "namespace_key": "default", "threshold": {"percentage": 5}}
    other = {**payload, "threshold": {"percentage": 6}}
    ids = [ingest.take(each, "updated", "rollout") for each in (payload, other, payload)]
    assert len({each for each, _ in ids}) == 3
    assert [each.known for _, each in ids] == [NOTHING] * 3


def test_a_previous_payload_that_is_large_is_left_out() -> None:
    ingest = Ingest()
    ingest.take({**ON, "description": "x" * 5000})
    known = ingest.take(ON)[1].known
    assert (known.previous, known.is_known) == (None, True)


def test_a_payload_too_large_to_keep_is_unknown_afterwards() -> None:
    ingest = Ingest()
    ingest.take({**ON, **{f"field-{at}": "x" * 90 for at in range(300)}})
    assert ingest.changes(ON) is None


def test_without_rows_equal_bodies_of_one_second_are_one_event() -> None:
    assert alone(Arrival("r1", 0, 5, "x")) == IdentifiedEvent(FIRST)
    assert alone(Arrival("r1", 0, None, "x")) == IdentifiedEvent("r1")


FIELDS = st.sampled_from(["enabled", "attachment", "threshold", "segment_key", "rule_ids", "rank", "variant_id", ""])
ODD = st.dictionaries(FIELDS, JSON | st.fixed_dictionaries({"bytes": JSON, "sha256": JSON}), max_size=4)
ACTIONS = st.sampled_from(["created", "updated", "deleted", "archived"])


@given(
    st.sampled_from(["flag", "rule", "rollout", "distribution", "odd"]), st.lists(st.tuples(ACTIONS, ODD), max_size=3)
)
@example("flag", [("created", {}), ("updated", {"enabled": {"bytes": "1", "sha256": "x"}})])
@example("flag", [("created", {}), ("updated", {"enabled": {"bytes": 10**30, "sha256": "x"}})])
def test_whatever_a_payload_holds_its_task_can_be_read_and_told(
    kind: str, events: list[tuple[str, dict[str, Any]]]
) -> None:
    # Bug: a value that looked like a digest made the event's deliveries dead letters, and its answer a 503.
    ingest = Ingest()
    for action, payload in events:
        named = {"key": "a", "id": "i1", "flag_key": "a", **payload}
        known = ingest.take(named, action, kind)[1].known
        made = task("evt_1", "flipt", "one", SECOND, "{}", known)
        assert decode(encode(made)) == made
        summarise(structs.replace(event(type=kind, action=action, payload=named), known=known))
