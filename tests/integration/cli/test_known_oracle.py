"""learn, verify and what events say of changes, against what a real Flipt had after each of 41 changes."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

import pytest

from flagcast.events.event import Event
from flagcast.flipt_state.changes import changes_between
from flagcast.flipt_state.thing_keys import Thing, row_key, thing_of
from flagcast_cli.flipt_state.comparison import Compared, compare, gone_of
from flagcast_cli.flipt_state.flipt_client import Flipt
from flagcast_cli.flipt_state.learn import Learning, carry_out, writes
from flagcast_cli.flipt_state.snapshot import Present, read_everything
from tests.integration.cli.known_oracle import Fields, differing, in_one_order, owners_of, plain, things_in
from tests.support.captures import states
from tests.support.flipt_server import FliptServer, RestState, serving
from tests.support.known_rows import SOURCE, Ingest, MemoryRows, event_of

BEGAN = 1_800_000_000
APART = 10
LAST = len(states()) - 1


def at(change: int) -> int:
    """Return when a change happens here: the recording has several in each second."""
    return BEGAN + APART * change


def written(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def events(change: int) -> tuple[bytes, ...]:
    """Return the events of a change, as of its time here."""
    stamped = [{**json.loads(body), "timestamp": written(at(change))} for body in states()[change].events]
    return tuple(json.dumps(each, separators=(",", ":")).encode() for each in stamped)


@cache
def created() -> dict[str, str]:
    """Return the time here of everything's creation, by the recorded time."""
    found: dict[str, str] = {}
    for number, change in enumerate(states()):
        for moment in re.findall(r'"createdAt": "([^"]+)"', json.dumps(change.state)):
            found.setdefault(moment, written(at(number)))
    return found


@cache
def state(change: int) -> RestState:
    """Return a recorded state, with the times of its creations here."""
    text = re.sub(
        r'"createdAt": "([^"]+)"',
        lambda each: f'"createdAt": "{created()[each[1]]}"',
        json.dumps(states()[change].state),
    )
    read: RestState = json.loads(text)
    return read


@cache
def present(change: int) -> Present:
    """Read, over HTTP, what Flipt has between a change and the next."""
    with serving(FliptServer(state(change), at(change) + APART // 2)) as flipt:
        flipt.page = 2
        return read(flipt)


def read(flipt: FliptServer) -> Present:
    return read_everything(Flipt(flipt.url, None, "FLIPT_TOKEN", lambda: flipt.now, lambda _: None), lambda *_: None)


def learn(rows: MemoryRows, change: int) -> None:
    run = Learning(SOURCE, rows, present(change), at(change) + APART // 2)
    stored = rows.of(SOURCE)
    carry_out(writes(run, stored, list(gone_of(SOURCE, stored, run.present)), dry=False), lambda: None)


def verify(rows: MemoryRows, change: int) -> Compared:
    return compare(SOURCE, rows.of(SOURCE), present(change))


def known_after(changes: Iterable[int], rows: MemoryRows | None = None) -> MemoryRows:
    """Settle the events of changes, beside what is known already."""
    rows = MemoryRows(BEGAN) if rows is None else rows
    ingest = Ingest(rows)
    for change in changes:
        for body in events(change):
            ingest.accept(body)
    return rows


def of(change: int) -> tuple[Event, Thing, dict[Thing, Fields], dict[Thing, Fields]]:
    """Return a change's event, what it is about, and what Flipt had before and after."""
    (body,) = events(change)
    event = event_of(body)
    thing = thing_of(event)
    assert thing is not None
    return event, thing, things_in(states()[change - 1].state), things_in(states()[change].state)


@cache
def rule_flags() -> dict[str, tuple[str, str]]:
    rules = [event for event in map(event_of, all_bodies()) if event.type == "rule" and not event.is_order]
    return {each.payload["id"]: (each.payload["namespace_key"], each.payload["flag_key"]) for each in rules}


def all_bodies() -> list[bytes]:
    return [body for change in range(1, LAST + 1) for body in events(change)]


def test_the_recording_has_every_kind_of_change() -> None:
    kinds = {(each.type, each.action) for each in map(event_of, all_bodies())}
    assert {kind for kind, _ in kinds} == {
        "namespace", "flag", "variant", "segment", "constraint", "rule", "distribution", "rollout",
    }  # fmt: skip
    assert sum(each.is_order for each in map(event_of, all_bodies())) == 2
    assert all(len(events(change)) == 1 for change in range(1, LAST + 1))


@pytest.mark.parametrize("change", range(1, LAST + 1))
def test_an_events_changes_are_the_difference_of_its_own_thing_in_flipts_states(change: int) -> None:
    rows = MemoryRows(BEGAN)
    learn(rows, change - 1)
    event, thing, before, after = of(change)
    known = Ingest(rows).accept(events(change)[0]).known
    assert known.is_known
    told = {each.field: (plain(each.field, each.before), plain(each.field, each.after)) for each in known.changes}
    assert told == differing(before.get(thing, {}), after.get(thing, {}))
    assert (event.action == "deleted") == (thing not in after)


@pytest.mark.parametrize("change", range(1, LAST + 1))
def test_what_is_read_of_a_thing_is_what_its_event_carries(change: int) -> None:
    event, thing, _, _ = of(change)
    if event.action == "deleted":
        assert thing not in present(change).things
        return
    read = present(change).things[thing].state
    assert in_one_order(read) == in_one_order(event.payload)


def test_the_same_is_told_without_learning_but_for_the_first_order_of_a_flag() -> None:
    ingest = Ingest(MemoryRows(BEGAN))
    unknown = []
    for change in range(1, LAST + 1):
        event, thing, before, after = of(change)
        known = ingest.accept(events(change)[0]).known
        if not known.is_known:
            unknown.append(thing.type)
            continue
        told = {each.field: (plain(each.field, each.before), plain(each.field, each.after)) for each in known.changes}
        assert told == differing(before.get(thing, {}), after.get(thing, {})), event.raw
    assert unknown == ["rule-order", "rollout-order"]


@pytest.mark.parametrize("learned_at", range(LAST + 1))
def test_learning_and_the_events_since_know_what_learning_the_last_state_knows(learned_at: int) -> None:
    rows = MemoryRows(BEGAN)
    learn(rows, learned_at)
    for change in range(learned_at + 1, LAST + 1):
        known_after([change], rows)
        then = {key: each.row for key, each in rows.of(SOURCE).items()}
        for thing, seen in present(change).things.items():
            row = then.get(row_key(SOURCE, thing))
            if row is None:
                assert thing.type.endswith("-order")
                continue
            assert row.state is not None
            assert not row.is_deleted
            if not thing.type.endswith("-order"):
                assert changes_between(thing.type, row.state, seen.state) == ()
                assert (row.namespace, row.flag_key) == (seen.namespace, seen.flag_key)
        assert verify(rows, change).differences == ()


def left_out_shows(left_out: set[int], until: int, learned_at: int) -> set[tuple[str, Thing]]:
    """Say what verify must find at a state if the events of some changes never arrived."""
    there = things_in(states()[until].state)
    about: dict[Thing, list[int]] = {}
    for change in range(learned_at + 1, until + 1):
        about.setdefault(of(change)[1], []).append(change)
    found = set()
    for thing, changes in about.items():
        seen = max((each for each in changes if each not in left_out), default=learned_at)
        known = things_in(states()[seen].state).get(thing)
        missed = [each for each in changes if each > seen]
        if not missed:
            continue
        event = of(missed[-1])[0]
        since = [things_in(states()[each].state) for each in range(missed[-1], until + 1)]
        is_there = all(owner in each for owner in owners_of(event, rule_flags()) for each in since)
        if thing.type.endswith("-order"):
            ids = (thing.type.removesuffix("-order")) + "_ids"
            has_row = seen in changes or known is not None
            if has_row and known is not None and thing in there:
                both = set(known[ids]) & set(there[thing][ids])
                if [each for each in known[ids] if each in both] != [
                    each for each in there[thing][ids] if each in both
                ]:
                    found.add(("changed", thing))
        elif thing in there and known is None:
            found.add(("missing", thing))
        elif thing in there and known is not None and differing(known, there[thing]):
            found.add(("changed", thing))
        elif thing not in there and known is not None and event.action == "deleted" and is_there:
            found.add(("gone", thing))
    return found


def found_by_verify(rows: MemoryRows, change: int) -> set[tuple[str, str]]:
    return {(each.kind, each.key) for each in verify(rows, change).differences}


@pytest.mark.parametrize("left_out", range(1, LAST + 1))
def test_verify_finds_exactly_the_change_whose_event_never_arrived(left_out: int) -> None:
    _, thing, before, after = of(left_out)
    for learned_at in sorted({0, left_out - 1}):
        rows = MemoryRows(BEGAN)
        learn(rows, learned_at)
        for change in range(learned_at + 1, LAST + 1):
            if change != left_out:
                known_after([change], rows)
            expected = left_out_shows({left_out}, change, learned_at)
            assert found_by_verify(rows, change) == {(kind, row_key(SOURCE, each)) for kind, each in expected}
            if change == left_out and learned_at:
                assert bool(expected) == (before.get(thing) != after.get(thing))


def test_learning_takes_over_whatever_verify_finds() -> None:
    for until in range(2, LAST + 1):
        rows = MemoryRows(BEGAN)
        learn(rows, 0)
        known_after(range(1, until, 2), rows)
        learn(rows, until)
        assert verify(rows, until).differences == ()
