"""The SQL of the ledger, over rows in any order."""

import sqlite3
from collections.abc import Iterator
from itertools import permutations

import pytest

from flagcast_cli.history import queries
from flagcast_cli.history.filter import Filter
from flagcast_cli.ledger.rows import Attempt, Event
from flagcast_cli.ledger.schema import STATEMENTS
from flagcast_cli.ledger.store import Store

ROWS: list[Event | Attempt] = [
    Event("e1", "evt_1", 1000, "flipt", "flag", "updated", ("chat", "archive"), title="ada turned on 100 %"),
    Attempt("a1", "evt_1", "chat", 1100, "retrying", receives=1, attempt=1),
    Attempt("a2", "evt_1", "chat", 1200, "delivered", receives=2, attempt=2),
    Attempt("a3", "evt_2", "chat", 1300, "paused", receives=1),
]


@pytest.fixture
def store() -> Iterator[Store]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in STATEMENTS:
        connection.execute(statement)
    yield Store(connection)
    connection.close()


def standing(store: Store) -> list[tuple[str, str, str]]:
    found = queries.deliveries(store, Filter(), 0).rows
    return sorted((each["event_id"], each["destination"], each["state"]) for each in found)


@pytest.mark.parametrize("order", [*permutations(range(4))], ids=str)
def test_a_delivery_is_in_the_state_of_its_last_attempt_in_whatever_order_the_lines_come(
    store: Store, order: tuple[int, ...]
) -> None:
    for at in order:
        store.add([ROWS[at]])
    assert standing(store) == [
        ("evt_1", "archive", "queued"), ("evt_1", "chat", "delivered"), ("evt_2", "chat", "paused"),
    ]  # fmt: skip
    accepted = {each["destination"]: each["accepted_at"] for each in queries.deliveries_of(store, "evt_1")}
    assert accepted == {"archive": 1000, "chat": 1000}


def test_a_replay_to_a_destination_that_never_had_the_event_is_a_delivery_of_it_since_it_was_accepted(
    store: Store,
) -> None:
    store.add([ROWS[0], Attempt("a9", "evt_1", "later", 9000, "delivered", replay="rpl_1")])
    [_, _, later] = queries.deliveries_of(store, "evt_1")
    assert (later["destination"], later["accepted_at"], later["replay"]) == ("later", 1000, "rpl_1")


def test_a_row_that_is_added_again_changes_nothing(store: Store) -> None:
    store.add([*ROWS, *ROWS, *ROWS])
    assert len(queries.attempts_of(store, "evt_1")) == 2
    assert queries.events(store, Filter(), 0).total == 1
    assert len(standing(store)) == 3


def test_attempts_of_one_moment_are_in_the_order_of_their_receives(store: Store) -> None:
    store.add(
        [Attempt(f"a{n}", "evt_1", "chat", 1100, "delivered" if n == 2 else "retrying", receives=n) for n in (2, 1)]
    )
    assert standing(store) == [("evt_1", "chat", "delivered")]


def test_a_row_that_cannot_be_added_leaves_none_of_its_page(store: Store) -> None:
    with pytest.raises(sqlite3.Error):
        store.add([ROWS[0], Attempt("a9", "evt_9", "chat", None, "delivered")], [("group", "1")])  # type: ignore[arg-type]
    assert standing(store) == []
    assert store.fact("group") is None


@pytest.mark.parametrize(("text", "number"), [("100 %", 1), ("100 % ", 0), ("TURNED", 1), ("1__ %", 0), ("%", 1)])
def test_a_text_is_looked_for_as_it_is(store: Store, text: str, number: int) -> None:
    store.add(ROWS)
    assert queries.events(store, Filter(text=text), 0).total == number


def test_what_is_older_than_a_moment_is_forgotten_and_what_goes_on_stays(store: Store) -> None:
    store.add(ROWS)
    store.forget_before(1150)
    assert standing(store) == [("evt_1", "chat", "delivered"), ("evt_2", "chat", "paused")]
    assert queries.event(store, "evt_1") is None
    store.clear()
    assert standing(store) == []
