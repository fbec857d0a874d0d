"""An accepted event as it is kept, whole, and where such events are kept."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, Protocol

from msgspec import Struct

from flagcast.events.change_context import Known
from flagcast.primitives.timestamp import epoch_of

KeptIn = Literal["archive", "dead-letters"]
NAMES: Final[dict[KeptIn, str]] = {"archive": "the archive", "dead-letters": "the dead-letter queue"}


class KeptEvent(Struct, frozen=True):
    """One event; `ref` says where it is kept, and `sequence` which of two of one millisecond came first.

    `received_at` is when it was accepted, RFC 3339 in UTC.
    """

    ref: str
    event_id: str
    source: str
    received_at: str
    raw: bytes
    known: Known
    sequence: int = 0

    @property
    def at(self) -> int:
        """Return when it was accepted, in epoch milliseconds; 0 where that cannot be read."""
        return round((epoch_of(self.received_at) or 0) * 1000)


class NotReplayable(Struct, frozen=True):
    """What is kept at a place and is no event that can be sent, and why."""

    ref: str
    why: str


class Where(Struct, frozen=True):
    """Which events are looked at at all: `since` and `until` in epoch milliseconds, `ids` as they begin, without evt_.

    Without `ids` all.
    """

    source: str | None = None
    since: int | None = None
    until: int | None = None
    ids: tuple[str, ...] = ()

    def names(self, event_id: str) -> bool:
        """Return whether an event's id is among those that are asked for."""
        return not self.ids or event_id.removeprefix("evt_").startswith(self.ids)

    def includes(self, at: int) -> bool:
        """Return whether a time (epoch milliseconds) is asked for."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


class Source(Protocol):
    """Where events are kept; every call raises CommandError."""

    def events(self, where: Where) -> Iterator[KeptEvent | NotReplayable]:
        """Yield what is kept, in any order; more than `where` says may come."""

    def fetch(self, refs: Sequence[str]) -> list[KeptEvent | NotReplayable]:
        """Return what is kept at each place, in the order given."""
