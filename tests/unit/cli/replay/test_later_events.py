"""What a destination had already, of rows of the log."""

from collections.abc import Iterator

import pytest

from flagcast_cli.ledger.file import in_memory
from flagcast_cli.ledger.rows import Attempt, Event, State
from flagcast_cli.ledger.store import Store
from flagcast_cli.replay.later_events import Later, Replayable, by_kind, had


@pytest.fixture
def store() -> Iterator[Store]:
    with in_memory() as made:
        yield made


def chosen(number: int, at: int, subject: str = "a", kind: str = "flag updated") -> Replayable:
    return Replayable(f"ref-{number}", f"evt_{number}", at, subject, (at, 0, f"evt_{number}"), f"event {number}", kind)


def delivered(store: Store, number: int, at: int, subject: str | None = "a", state: State = "delivered") -> None:
    name = f"evt_{number}"
    store.add(
        [
            Event(f"e{number}", name, at, "flipt", "flag", "updated", ("later",), subject=subject),
            Attempt(f"a{number}", name, "later", at + 50, state),
        ]
    )


def test_what_came_before_the_first_of_a_subject_or_about_another_is_not_later(store: Store) -> None:
    delivered(store, 1, at=100)
    delivered(store, 2, at=900, subject="b")
    found = had(store, "later", [chosen(7, at=500), chosen(8, at=800)])
    assert (found.later, found.unknown, found.is_stale, found.begins) == ((), 0, False, 100)


def test_later_ones_are_counted_by_subject_the_most_first(store: Store) -> None:
    for number, (at, subject) in enumerate([(600, "a"), (700, "b"), (800, "b"), (900, "c")]):
        delivered(store, number, at, subject)
    found = had(store, "later", [chosen(7, at=500), chosen(8, at=500, subject="b")])
    assert found.later == (Later("b", "event 8", 2), Later("a", "event 7", 1))
    assert found.is_stale


def test_an_event_that_is_replayed_is_not_later_than_itself_though_its_line_was_written_after_it_was_accepted(
    store: Store,
) -> None:
    delivered(store, 7, at=520)
    found = had(store, "later", [chosen(7, at=500)])
    assert (found.before, found.is_stale) == (frozenset({"evt_7"}), False)


def test_an_event_that_is_replayed_and_was_delivered_is_later_than_one_before_it(store: Store) -> None:
    delivered(store, 8, at=820)
    found = had(store, "later", [chosen(7, at=500), chosen(8, at=800)])
    assert found.later == (Later("a", "event 7", 1),)


@pytest.mark.parametrize("state", ["filtered", "dead-lettered"])
def test_what_the_destination_did_not_take_it_never_had(store: Store, state: State) -> None:
    delivered(store, 1, at=900, state=state)
    assert not had(store, "later", [chosen(7, at=500)]).is_stale


def test_what_waits_comes_before_a_replay_of_today(store: Store) -> None:
    store.add([Event("e1", "evt_1", 900, "flipt", "flag", "updated", ("later",), subject="a")])
    assert had(store, "later", [chosen(7, at=500)]).is_stale
    assert not had(store, "chat", [chosen(7, at=500)]).is_stale


def test_a_later_delivery_of_which_the_log_does_not_say_the_subject_counts_as_any(store: Store) -> None:
    delivered(store, 1, at=900, subject=None)
    delivered(store, 2, at=400, subject=None)
    store.add([Attempt("a3", "evt_3", "later", 950, "delivered")])
    found = had(store, "later", [chosen(7, at=500)])
    assert (found.later, found.unknown, found.is_stale) == ((), 2, True)


def test_flagcasts_own_notices_are_about_no_subject_of_flipts(store: Store) -> None:
    store.add([Event("n", "evt_n", 900, "flagcast:notices", "flagcast", "trouble", ("later",))])
    assert not had(store, "later", [chosen(7, at=500)]).is_stale


def test_without_a_log_nothing_is_known(store: Store) -> None:
    found = had(store, "later", [chosen(7, at=500)])
    assert (found.begins, found.before, found.is_stale) == (None, frozenset(), False)


def test_events_are_counted_by_what_they_are_the_most_frequent_first() -> None:
    kinds = ["rule created", "flag updated", "flag updated"]
    assert list(by_kind([chosen(at, at, kind=kind) for at, kind in enumerate(kinds)]).items()) == [
        ("flag updated", 2), ("rule created", 1),
    ]  # fmt: skip
