"""Known rows in memory: for what settles events, and for the commands."""

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from flagcast.edges.aws.flipt_state_table import KEPT_DELETED_FOR, KEPT_FOR
from flagcast.errors import StateUnavailable
from flagcast.events.event import Event, InvalidEvent, parse
from flagcast.flipt_state.change_tracker import ChangeTracker, IdentifiedEvent
from flagcast.flipt_state.change_tracker import Stored as Settled
from flagcast.flipt_state.resend_detection import Arrival
from flagcast.flipt_state.row import UNKNOWN, Accepted, Row, with_unsettled
from flagcast.primitives.timestamp import epoch_of
from flagcast_cli.flipt_state.stored_rows import Stored

SOURCE = "flipt"


class MemoryRows:
    """The table, as `flagcast learn`, `verify` and `forget` see it; `now` in epoch seconds."""

    def __init__(self, now: float) -> None:
        self.stored: dict[str, Stored] = {}
        self.now = now

    def of(self, source: str) -> Mapping[str, Stored]:
        return dict(self.stored)

    def read(self, key: str) -> Stored | None:
        return self.stored.get(key)

    def write(self, key: str, row: Row, version: int) -> bool:
        if (self.stored[key].version if key in self.stored else 0) != version:
            return False
        kept_for = KEPT_DELETED_FOR if row.is_deleted else KEPT_FOR
        self.stored[key] = Stored(row, version + 1, int(self.now + kept_for))
        return True

    def delete(self, keys: Sequence[str]) -> Iterator[int]:
        for key in keys:
            del self.stored[key]
        yield len(keys)


class _Settling:
    """The same table, as ingest sees it."""

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows

    def read(self, key: str, others: Collection[str], deadline: float) -> tuple[Settled, dict[str, Row]]:
        found = self._rows.read(key) or Stored(UNKNOWN)
        rows = {each: self._rows.stored[each].row for each in others if each in self._rows.stored}
        return Settled(found.row, found.version), {name: row for name, row in rows.items() if row is not None}

    def write(self, key: str, row: Row, version: int, deadline: float) -> bool:
        return self._rows.write(key, row, version)

    def add(self, key: str, event: Accepted, deadline: float) -> None:
        stored = self._rows.read(key) or Stored(UNKNOWN)
        assert self._rows.write(key, with_unsettled(stored.row or UNKNOWN, (event,)), stored.version)


class _Journal:
    def state_failed(self, action: str, error: StateUnavailable) -> None:
        raise AssertionError(action) from error


def event_of(body: bytes) -> Event:
    event = parse(body)
    assert not isinstance(event, InvalidEvent)
    return event


class Ingest:
    """Takes events in, one after the other, as the ingest function does."""

    def __init__(self, rows: MemoryRows) -> None:
        self.rows = rows
        self._knowing = ChangeTracker(_Settling(rows), _Journal())
        self._number = 0

    def accept(self, body: bytes, taken: float | None = None) -> IdentifiedEvent:
        """Settle an event that was taken in at a time (epoch seconds), without one as soon as it happened."""
        event = event_of(body)
        second = epoch_of(event.timestamp)
        assert second is not None
        self._number += 1
        at = round((second if taken is None else taken) * 1000) + self._number
        digest = hashlib.sha256(body).hexdigest()
        return self._knowing.settle(SOURCE, event, Arrival(f"r{self._number}", at, int(second), digest), math.inf)
