"""What is asked of the ledger, as SQL."""

from typing import Any, Final

from msgspec import Struct

from flagcast.events.event import NOTICES
from flagcast.primitives.duration import DAY
from flagcast_cli.history.filter import Filter, of_deliveries, of_events, where
from flagcast_cli.ledger.event_ids import Asked

KEPT: Final = 14 * DAY
"""Seconds that SQS keeps a dead letter."""
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


class Found(Struct, frozen=True):
    """The newest rows, oldest first, and how many there are in all."""

    rows: list[dict[str, Any]]
    total: int


def events(ledger: Asked, wanted: Filter, most: int) -> Found:
    """Return events, by when they were accepted; most 0 means all."""
    condition, values = where(of_events(wanted))
    return _found(ledger, f"{_EVENTS} {condition}", f"SELECT count(*) AS number FROM events {condition}", values, most)


def changes(ledger: Asked, wanted: Filter) -> Found:
    """Return the events that changed something: none that was denied, and none of Flagcast's own."""
    condition, values = where([*of_events(wanted), ("NOT denied AND source <> ?", [NOTICES])])
    return _found(ledger, f"{_EVENTS} {condition}", f"SELECT count(*) AS number FROM events {condition}", values, 0)


def deliveries(ledger: Asked, wanted: Filter, most: int) -> Found:
    """Return deliveries, by when something last happened to them."""
    condition, values = where(of_deliveries(wanted))
    # The view joins what a count does not need, unless it is asked for.
    counted = "deliveries" if wanted.looks_further else "fan_out"
    number = f"SELECT count(*) AS number FROM {counted} {condition}"
    return _found(ledger, f"SELECT * FROM deliveries {condition}", number, values, most)


def event(ledger: Asked, event_id: str) -> dict[str, Any] | None:
    """Return one event, None where its line is older than what was copied."""
    found = ledger.ask(f"{_EVENTS} WHERE event_id = ?", [event_id])
    return found[0] if found else None


def deliveries_of(ledger: Asked, event_id: str) -> list[dict[str, Any]]:
    """Return the deliveries of one event."""
    return ledger.ask("SELECT * FROM deliveries WHERE event_id = ? ORDER BY destination", [event_id])


def dead_letters(ledger: Asked, now: float) -> frozenset[tuple[str, str]]:
    """Return event and destination of what the log has as dead, as long as SQS keeps it; `now` in epoch seconds."""
    sql = "SELECT event_id, destination FROM fan_out WHERE state = 'dead-lettered' AND at >= ?"
    found = ledger.ask(sql, [round((now - KEPT) * 1000)])
    return frozenset((each["event_id"], each["destination"]) for each in found)


def attempts_of(ledger: Asked, event_id: str) -> list[dict[str, Any]]:
    """Return what happened to one event's deliveries, in order."""
    return ledger.ask("SELECT * FROM attempts WHERE event_id = ? ORDER BY destination, at, receives, id", [event_id])


def last_number(ledger: Asked, table: str) -> int:
    """Return the number of the row that was added last to events or attempts; 0 where there is none."""
    return int(ledger.ask(f"SELECT ifnull(max(rowid), 0) AS number FROM {table}")[0]["number"])


def events_after(ledger: Asked, wanted: Filter, number: int) -> list[dict[str, Any]]:
    """Return events that were added after a row, by time, whenever they were accepted."""
    condition, values = where([*of_events(wanted), ("rowid > ?", [number])])
    return ledger.ask(f"{_EVENTS} {condition} ORDER BY at", values)


def attempts_after(ledger: Asked, wanted: Filter, number: int) -> list[dict[str, Any]]:
    """Return attempts that were added after a row, each with what is known of its event."""
    condition, values = where([*of_deliveries(wanted), ("number > ?", [number])])
    return ledger.ask(f"SELECT * FROM ({_ATTEMPTS}) {condition} ORDER BY at", values)


def _found(ledger: Asked, rows: str, number: str, values: list[Any], most: int) -> Found:
    newest = ledger.ask(f"{rows} ORDER BY at DESC, event_id LIMIT ?", [*values, most or -1])
    total = ledger.ask(number, values)[0]["number"] if most and len(newest) == most else len(newest)
    return Found(newest[::-1], total)
