"""What is written into the ledger and asked of it: rows in SQLite."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from msgspec import structs

from flagcast_cli.ledger.rows import Attempt, Event, Rejection, Row

_FACT: Final = "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"


def _insert(table: str, fields: Sequence[str], conflict: str) -> str:
    named, values = ", ".join(fields), ", ".join(f":{each}" for each in fields)
    return f"INSERT INTO {table} ({named}) VALUES ({values}) ON CONFLICT {conflict}"


_EVENT_FIELDS: Final = tuple(name for name in Event.__struct_fields__ if name != "destinations")
# A resend has a line of its own, and the first says when the event was accepted.
_EVENT: Final = _insert(
    "events",
    _EVENT_FIELDS,
    "DO UPDATE SET " + ", ".join(f"{each} = excluded.{each}" for each in _EVENT_FIELDS) + " WHERE excluded.at < at",
)
_DESTINATION: Final = (
    "INSERT INTO fan_out VALUES (?1, ?2, ?3, ?3, 'queued', NULL)"
    " ON CONFLICT DO UPDATE SET accepted_at = min(accepted_at, excluded.accepted_at)"
)
_ATTEMPT: Final = _insert("attempts", Attempt.__struct_fields__, "DO NOTHING")
_REJECTION: Final = _insert("rejections", Rejection.__struct_fields__, "DO NOTHING")


class Store:
    """An open ledger. Everything may be written twice: what is there already stays as it is."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Keep the connection, which has the tables."""
        self._connection = connection

    def add(self, rows: Iterable[Row], facts: Iterable[tuple[str, str]] = ()) -> None:
        """Add rows, and set facts, all of them or none."""
        with self._writing():
            for row in rows:
                match row:
                    case Event():
                        self._connection.execute(_EVENT, structs.asdict(row))
                        pairs = [(row.event_id, each, row.at) for each in row.destinations]
                        self._connection.executemany(_DESTINATION, pairs)
                    case Attempt():
                        self._connection.execute(_ATTEMPT, structs.asdict(row))
                    case Rejection():
                        self._connection.execute(_REJECTION, structs.asdict(row))
            self._connection.executemany(_FACT, list(facts))

    def fact(self, name: str) -> str | None:
        """Return what was set under a name."""
        found = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else None

    def forget_before(self, at: int) -> None:
        """Delete what is older than a moment (epoch milliseconds), as the log does."""
        with self._writing():
            self._connection.execute("DELETE FROM events WHERE at < ?", (at,))
            self._connection.execute("DELETE FROM attempts WHERE at < ?", (at,))
            self._connection.execute("DELETE FROM rejections WHERE at < ?", (at,))
            # What goes on longer than the log is kept stays with its last attempt.
            self._connection.execute("DELETE FROM fan_out WHERE at < ?", (at,))

    def clear(self) -> None:
        """Delete everything."""
        with self._writing():
            for table in ("facts", "events", "attempts", "fan_out", "rejections"):
                self._connection.execute(f"DELETE FROM {table}")

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows that a query finds, each by column."""
        cursor = self._connection.execute(sql, values)
        names = [each[0] for each in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        # IMMEDIATE waits for another writer; a transaction that begins with a read could not wait for one any more.
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            yield
