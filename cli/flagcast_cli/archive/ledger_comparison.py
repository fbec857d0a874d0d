"""What the log knows of the archive's deliveries, against the objects that there are."""

from collections.abc import Container
from typing import Final

from msgspec import Struct

from flagcast.config.archive_destination import ARCHIVE
from flagcast_cli.archive.findings import MOST_KEPT
from flagcast_cli.ledger.event_ids import Asked
from flagcast_cli.ledger.rows import State

_AT_ONCE: Final = 5_000
_PAGE: Final = """
    SELECT event_id, state, accepted_at, source, title FROM deliveries
    WHERE destination = ? AND event_id > ? AND accepted_at >= ? AND accepted_at < ? ORDER BY event_id LIMIT ?
"""


class Lacking(Struct, frozen=True):
    """A delivery to the archive that has no object, by what the log says of it; `accepted_at` in epoch milliseconds."""

    event_id: str
    state: State
    accepted_at: int
    source: str | None = None
    title: str | None = None


class Compared(Struct):
    """What came of comparing: deliveries that were, and those without an object by how they stand."""

    deliveries: int = 0
    earliest: int | None = None
    """When the first of them was accepted, in epoch milliseconds."""
    lost: list[Lacking] = []
    """Those that were delivered, the first MOST_KEPT of them."""
    more_lost: int = 0
    dead: int = 0
    waiting: int = 0

    @property
    def lacking(self) -> int:
        """Count the delivered ones that have no object."""
        return len(self.lost) + self.more_lost


def compare(ledger: Asked, seen: Container[str], since: int, until: int, source: str | None = None) -> Compared:
    """Compare the deliveries that were accepted from one moment until before another, in epoch milliseconds.

    They are read in parts: a log can have millions.
    """
    found, last = Compared(), ""
    while rows := ledger.ask(_PAGE, [ARCHIVE, last, since, until, _AT_ONCE]):
        last = rows[-1]["event_id"]
        for each in (Lacking(**row) for row in rows):
            if source is None or each.source == source:
                _count(found, each, is_there=each.event_id in seen)
    return found


def _count(found: Compared, each: Lacking, *, is_there: bool) -> None:
    found.deliveries += 1
    found.earliest = min(found.earliest or each.accepted_at, each.accepted_at)
    match each.state:
        case _ if is_there:
            pass
        case "delivered" if len(found.lost) < MOST_KEPT:
            found.lost.append(each)
        case "delivered":
            found.more_lost += 1
        case "dead-lettered":
            found.dead += 1
        case _:
            found.waiting += 1
