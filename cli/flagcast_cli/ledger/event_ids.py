"""Events by the beginning of their ids."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

SHORTEST_PREFIX: Final = 4
"""Characters of an id, without evt_, that name an event where no other begins so."""
_MARK: Final = "evt_"


class Asked(Protocol):
    """What answers: a ledger."""

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows that a query finds, each by column."""


def bare(given: str) -> str:
    """Return an id without evt_."""
    return given.removeprefix(_MARK)


def ids_of(ledger: Asked, prefix: str) -> list[str]:
    """Return the ids of the events that begin so, with or without evt_."""
    sql = "SELECT event_id FROM {} WHERE event_id >= ? AND event_id < ? || char(1114111) LIMIT 20"
    found: set[str] = set()
    for begin in (prefix, f"{_MARK}{prefix}"):
        for table in ("events", "fan_out"):
            found |= {each["event_id"] for each in ledger.ask(sql.format(table), [begin, begin])}
    return sorted(found)
