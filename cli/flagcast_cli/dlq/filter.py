"""Which dead letters are meant."""

import re
from typing import Self

from msgspec import Struct

from flagcast.events.event_filter import EventFilter
from flagcast.primitives.duration import DAY, Duration
from flagcast_cli.dlq.letters import Absent, Facts, Letter

_DAYS = re.compile(r"(\d+)d(.*)", re.ASCII)


class Filter(Struct, frozen=True):
    """What all of it must hold of a letter; ages in seconds since it became one."""

    destination: str | None = None
    reason: str | None = None
    older_than: float | None = None
    newer_than: float | None = None
    event: EventFilter | None = None
    event_id: str | None = None

    @classmethod
    def of(
        cls,
        *,
        destination: str | None = None,
        reason: str | None = None,
        older_than: str | None = None,
        newer_than: str | None = None,
        type: str | None = None,  # noqa: A002 - what people type
        event_id: str | None = None,
    ) -> Self:
        """Read what people typed; raises ValueError with a sentence."""
        kind = None if type is None else EventFilter.parse(type if ":" in type else f"{type}:*")
        older, newer = (None if each is None else read_age(each) for each in (older_than, newer_than))
        return cls(destination, reason, older, newer, kind, event_id)

    def matches(self, letter: Letter, now: float) -> bool:
        """Return whether everything but the event's type holds; `now` in epoch seconds."""
        age = now - letter.message.sent_at
        return (
            self.destination in (None, letter.destination)
            and self.reason in (None, letter.reason)
            and (self.older_than is None or age > self.older_than)
            and (self.newer_than is None or age < self.newer_than)
            and (self.event_id is None or letter.is_called(self.event_id))
        )

    def wants(self, facts: Facts | Absent) -> bool:
        """Return whether the event is of the type: one that cannot be read is of none."""
        return self.event is None or (isinstance(facts, Facts) and self.event.matches(facts.event))


def read_age(text: str) -> float:
    """Read a duration in which days may stand first, as in 3d or 1d12h; raises ValueError with a sentence."""
    if found := _DAYS.fullmatch(text):
        return int(found[1]) * DAY + (Duration.parse(found[2]) if found[2] else 0)
    return Duration.parse(text)
