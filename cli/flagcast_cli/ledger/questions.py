"""What is asked of the ledger, as SQL."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from msgspec import Struct

from flagcast.core.event import NOTICES
from flagcast_cli.console import CommandError
from flagcast_cli.ledger.rows import STATES

SHORTEST_PREFIX: Final = 4
_MOST_NAMED: Final = 12
_TEXT: Final = ("event_id", "title", "actor", "namespace", "flag", "segment", "resource", "changes")
_ANSWERED: Final = ("destination", "answer", "detail")

_EVENTS: Final = """
    SELECT *, (
      SELECT json_group_array(json_object('destination', destination, 'state', state))
      FROM (SELECT destination, state FROM fan_out WHERE fan_out.event_id = events.event_id ORDER BY destination)
    ) AS deliveries FROM events
"""
_ATTEMPTS: Final = """
    SELECT attempts.rowid AS number, attempts.*, events.source, events.type, events.action, events.namespace,
      events.flag, events.segment, events.resource, events.actor, events.title, events.changes
    FROM attempts LEFT JOIN events ON events.event_id = attempts.event_id
"""
_VALUES: Final = {
    "destination": "SELECT DISTINCT destination FROM fan_out",
    "reason": "SELECT DISTINCT reason FROM attempts WHERE reason IS NOT NULL",
    **{
        name: f"SELECT DISTINCT {name} FROM events WHERE {name} IS NOT NULL"
        for name in ("source", "type", "action", "namespace", "flag", "actor")
    },
}


class Asked(Protocol):
    """What answers."""

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows that a query finds, each by column."""


class Filter(Struct, frozen=True, kw_only=True):
    """What all of it must hold; `since` and `until` in epoch milliseconds, the second not included."""

    destination: str | None = None
    source: str | None = None
    state: str | None = None
    type: str | None = None
    action: str | None = None
    namespace: str | None = None
    flag: str | None = None
    actor: str | None = None
    reason: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None


class Found(Struct, frozen=True):
    """The newest rows, oldest first, and how many there are in all."""

    rows: list[dict[str, Any]]
    total: int


def require_known(ledger: Asked, wanted: Filter) -> None:
    """Raise CommandError for a value that nothing in the ledger has, with those that there are."""
    if wanted.state is not None and wanted.state not in STATES:
        raise CommandError(f"there is no state {wanted.state}", f"It is one of {', '.join(STATES)}.")
    for name, sql in _VALUES.items():
        value = getattr(wanted, name)
        if value is None:
            continue
        there = sorted(str(each[name]) for each in ledger.ask(sql))
        if value not in there:
            raise CommandError(f"the log has no {name} {value}", *_there_are(value, there))


def _there_are(value: str, there: list[str]) -> list[str]:
    if not there:
        return ["It has none at all: nothing was logged, or only what LogNames=off leaves."]
    close = difflib.get_close_matches(value, there, n=1)
    more = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
    listed = f"It has {', '.join(there[:_MOST_NAMED])}{more}."
    return [f"Did you mean {close[0]}?", listed] if close else [listed]


def events(ledger: Asked, wanted: Filter, most: int) -> Found:
    """Return events, by when they were accepted; most 0 means all."""
    where, values = _where(_of_events(wanted))
    return _found(ledger, f"{_EVENTS} {where}", f"SELECT count(*) AS number FROM events {where}", values, most)


def changes(ledger: Asked, wanted: Filter) -> Found:
    """Return the events that changed something: none that was denied, and none of Flagcast's own."""
    where, values = _where([*_of_events(wanted), ("NOT denied AND source <> ?", [NOTICES])])
    return _found(ledger, f"{_EVENTS} {where}", f"SELECT count(*) AS number FROM events {where}", values, 0)


def deliveries(ledger: Asked, wanted: Filter, most: int) -> Found:
    """Return deliveries, by when something last happened to them."""
    where, values = _where(_of_deliveries(wanted))
    # The view joins what a count does not need, unless it is asked for.
    counted = "deliveries" if _looks_further(wanted) else "fan_out"
    number = f"SELECT count(*) AS number FROM {counted} {where}"
    return _found(ledger, f"SELECT * FROM deliveries {where}", number, values, most)


def ids_of(ledger: Asked, prefix: str) -> list[str]:
    """Return the ids of the events that begin so, with or without evt_."""
    sql = "SELECT event_id FROM {} WHERE event_id >= ? AND event_id < ? || char(1114111) LIMIT 20"
    found: set[str] = set()
    for begin in (prefix, f"evt_{prefix}"):
        for table in ("events", "fan_out"):
            found |= {each["event_id"] for each in ledger.ask(sql.format(table), [begin, begin])}
    return sorted(found)


def event(ledger: Asked, event_id: str) -> dict[str, Any] | None:
    """Return one event, None where its line is older than what was copied."""
    found = ledger.ask(f"{_EVENTS} WHERE event_id = ?", [event_id])
    return found[0] if found else None


def deliveries_of(ledger: Asked, event_id: str) -> list[dict[str, Any]]:
    """Return the deliveries of one event."""
    return ledger.ask("SELECT * FROM deliveries WHERE event_id = ? ORDER BY destination", [event_id])


def attempts_of(ledger: Asked, event_id: str) -> list[dict[str, Any]]:
    """Return what happened to one event's deliveries, in order."""
    return ledger.ask("SELECT * FROM attempts WHERE event_id = ? ORDER BY destination, at, receives, id", [event_id])


def last_number(ledger: Asked, table: str) -> int:
    """Return the number of the row that was added last to events or attempts; 0 where there is none."""
    return int(ledger.ask(f"SELECT ifnull(max(rowid), 0) AS number FROM {table}")[0]["number"])


def events_after(ledger: Asked, wanted: Filter, number: int) -> list[dict[str, Any]]:
    """Return events that were added after a row, by time, whenever they were accepted."""
    where, values = _where([*_of_events(wanted), ("rowid > ?", [number])])
    return ledger.ask(f"{_EVENTS} {where} ORDER BY at", values)


def attempts_after(ledger: Asked, wanted: Filter, number: int) -> list[dict[str, Any]]:
    """Return attempts that were added after a row, each with what is known of its event."""
    where, values = _where([*_of_deliveries(wanted), ("number > ?", [number])])
    return ledger.ask(f"SELECT * FROM ({_ATTEMPTS}) {where} ORDER BY at", values)


_Condition = tuple[str, list[Any]]


def _of_events(wanted: Filter) -> Iterator[_Condition]:
    for name in ("source", "type", "action", "namespace", "flag", "actor"):
        if (value := getattr(wanted, name)) is not None:
            yield f"{name} = ?", [value]
    of_delivery = [(name, getattr(wanted, name)) for name in ("destination", "state", "reason")]
    if said := [(f"deliveries.{name} = ?", value) for name, value in of_delivery if value is not None]:
        conditions = " AND ".join(condition for condition, _ in said)
        yield (
            f"event_id IN (SELECT event_id FROM deliveries WHERE {conditions})",
            [value for _, value in said],
        )
    yield from _text(wanted.text, _TEXT)
    yield from _between(wanted, "at")


def _of_deliveries(wanted: Filter) -> Iterator[_Condition]:
    for name in ("destination", "source", "state", "type", "action", "namespace", "flag", "actor", "reason"):
        if (value := getattr(wanted, name)) is not None:
            yield f"{name} = ?", [value]
    for (of_event, values), (of_answer, more) in zip(
        _text(wanted.text, _TEXT), _text(wanted.text, _ANSWERED), strict=True
    ):
        # Each event is looked at once, not once for each of its deliveries.
        yield f"(event_id IN (SELECT event_id FROM events WHERE {of_event}) OR {of_answer})", [*values, *more]
    yield from _between(wanted, "at")


def _looks_further(wanted: Filter) -> bool:
    named = (wanted.source, wanted.type, wanted.action, wanted.namespace, wanted.flag, wanted.actor, wanted.reason)
    return wanted.text is not None or any(each is not None for each in named)


def _text(text: str | None, columns: Sequence[str]) -> Iterator[_Condition]:
    if text is not None:
        pattern = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        either = " OR ".join(f"{each} LIKE ? ESCAPE '\\'" for each in columns)
        yield f"({either})", [pattern] * len(columns)


def _between(wanted: Filter, column: str) -> Iterator[_Condition]:
    if wanted.since is not None:
        yield f"{column} >= ?", [wanted.since]
    if wanted.until is not None:
        yield f"{column} < ?", [wanted.until]


def _where(conditions: Iterator[_Condition] | list[_Condition]) -> tuple[str, list[Any]]:
    said = list(conditions)
    text = " AND ".join(condition for condition, _ in said)
    return (f"WHERE {text}" if said else ""), [value for _, values in said for value in values]


def _found(ledger: Asked, rows: str, number: str, values: list[Any], most: int) -> Found:
    newest = ledger.ask(f"{rows} ORDER BY at DESC, event_id LIMIT ?", [*values, most or -1])
    total = ledger.ask(number, values)[0]["number"] if most and len(newest) == most else len(newest)
    return Found(newest[::-1], total)
