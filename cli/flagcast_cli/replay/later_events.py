"""Whether a destination had later events of a subject already, so that a replay would come after them.

Promise 4 does not join replayed and live events (docs/guarantees.md). What the destination had is what the log says.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from flagcast.events.event import NOTICES
from flagcast_cli.ledger.event_ids import Asked

_NEVER_HAD: Final = ("filtered", "dead-lettered")
"""Deliveries that the destination did not take; a dead letter that is redriven comes after the replay, in order.

What a later replay of an event ended as takes nothing back of what was delivered before it.
"""


class Replayable(Struct, frozen=True):
    """An event that can be sent: what is compared is its subject and when it was accepted (epoch milliseconds)."""

    ref: str
    event_id: str
    at: int
    subject: str
    order: tuple[int, int, str]
    what: str
    kind: str


class Later(Struct, frozen=True):
    """What a destination had of a subject after the first event of it that is replayed; `what` names that event."""

    subject: str
    what: str
    count: int


class Had(Struct, frozen=True):
    """What the log knows of a destination: which of the events it had itself, and which later ones by subject.

    `unknown` counts later deliveries of which the log does not say the subject. `begins` is the time (epoch
    milliseconds) before which nothing is known; None where nothing of it was logged.
    """

    before: frozenset[str]
    later: tuple[Later, ...]
    unknown: int
    begins: int | None

    @property
    def is_stale(self) -> bool:
        """Return whether replayed events would come after later ones."""
        return bool(self.later or self.unknown)


def had(ledger: Asked, destination: str, chosen: Sequence[Replayable]) -> Had:
    """Look up what a destination had already of what a replay would send, or after it."""
    first: dict[str, Replayable] = {}
    for each in chosen:
        if each.subject not in first or each.at < first[each.subject].at:
            first[each.subject] = each
    own = {each.event_id: each for each in chosen}
    rows = ledger.ask(
        f"""
        SELECT fan_out.event_id, events.subject, coalesce(events.at, fan_out.accepted_at) AS at
        FROM fan_out LEFT JOIN events ON events.event_id = fan_out.event_id
        WHERE destination = ? AND ifnull(source, '') <> ? AND (
          state NOT IN ({", ".join("?" * len(_NEVER_HAD))}) OR EXISTS (
            SELECT 1 FROM attempts
            WHERE event_id = fan_out.event_id AND destination = fan_out.destination AND state = 'delivered'
          )
        )
        """,  # noqa: S608 - the text is ours
        [destination, NOTICES, *_NEVER_HAD],
    )
    counts, unknown, earliest = Counter[str](), 0, min((each.at for each in chosen), default=0)
    for row in rows:
        event_id = row["event_id"]
        # Its own line is written a moment after it was accepted.
        at, subject = (own[event_id].at, own[event_id].subject) if event_id in own else (row["at"], row["subject"])
        if subject is None:
            unknown += at > earliest
        elif subject in first and first[subject].event_id != event_id and at > first[subject].at:
            counts[subject] += 1
    later = tuple(Later(each, first[each].what, number) for each, number in counts.most_common())
    before = frozenset(row["event_id"] for row in rows if row["event_id"] in own)
    return Had(before, later, unknown, _begin(ledger))


def _begin(ledger: Asked) -> int | None:
    found = ledger.ask("SELECT min(at) AS at FROM events")[0]["at"]
    return None if found is None else int(found)


def by_kind(chosen: Sequence[Replayable]) -> Mapping[str, int]:
    """Count events by type and action, the most frequent first."""
    return dict(Counter(each.kind for each in chosen).most_common())
