"""Whether an event is a resend or a change, which number it has, and what it changed: one row in, one row out.

Flipt sends no id, whole seconds and no state before. Equal bodies can be a resend, or the second change to a state: on,
off, on within a second is A, B, A. What decides is what was accepted about the same thing in between.
"""

from typing import Final

import msgspec
from msgspec import Struct, structs

from flagcast.events.change_context import LARGEST_PREVIOUS, NOTHING, Known
from flagcast.events.event import Event
from flagcast.flipt_state.changes import changes_between
from flagcast.flipt_state.row import MOST_RECENT, Accepted, Row
from flagcast.flipt_state.stored_state import State, kept
from flagcast.flipt_state.thing_keys import ORDERS, WITHOUT_ID
from flagcast.primitives.timestamp import rfc3339

FIRST: Final = 0


class Arrival(Struct, frozen=True):
    """How an event came in, where the body does not say.

    `taken` is when API Gateway received the request (epoch milliseconds). `second` is the event's timestamp (epoch
    seconds; None if it has none, or the source has `dedupe: false`, so that its request makes it an event of its own).
    `digest` is the hash of source and body.
    """

    request_id: str
    taken: int
    second: int | None
    digest: str

    @property
    def at(self) -> int:
        """Return the timestamp, never later than the receipt; the receipt if there is none (epoch seconds)."""
        received = self.taken // 1000
        return received if self.second is None else min(self.second, received)

    def accepted(self, number: int | str) -> Accepted:
        """Return what a row remembers of it."""
        return Accepted(self.second, self.taken, self.digest, number)


class Settled(Struct, frozen=True):
    """What an event is: its number, what is known of it, and the row to write; None if it is to stay as it is."""

    number: int | str
    known: Known
    row: Row | None


def settle(row: Row, event: Event, kind: str, arrival: Arrival) -> Settled:
    """Tell a resend from a change, and say what a change replaced."""
    if (resent := _resent(row, arrival)) is not None:
        is_last = row.recent[-1] == resent
        return Settled(resent.number, _known(row, kind) if is_last else NOTHING, None)
    number = _number(row, arrival)
    recent = (*row.recent, arrival.accepted(number))[-MOST_RECENT:]
    if arrival.at < row.at or arrival.taken < row.taken:
        # Replicas of Flipt: what came first is not known, so neither is what the thing is now.
        return Settled(number, NOTHING, structs.replace(row, state=None, before=None, is_deleted=False, recent=recent))
    moved = _moved(
        structs.replace(row, recent=recent, at=row.at if arrival.second is None else arrival.at), event, arrival
    )
    return Settled(number, _known(moved, kind), moved)


def _resent(row: Row, arrival: Arrival) -> Accepted | None:
    """Return the event that this is a resend of.

    It is the last about its thing; or it was received before the last, as a twin that timed out and came late; or it is
    the last of a second that is over.
    """
    if arrival.second is None or not row.recent:
        return None
    same = [each for each in row.recent if each.digest == arrival.digest and each.second == arrival.second]
    if not same:
        return None
    if row.recent[-1] == same[-1] and arrival.taken >= row.taken:
        return same[-1]
    if arrival.taken < row.taken:
        # Of equal ones, the one that was sent just before it.
        return next((each for each in reversed(same) if each.taken <= arrival.taken), same[0])
    last_of_second = next(each for each in reversed(row.recent) if each.second == arrival.second)
    return same[-1] if arrival.at < row.at and last_of_second == same[-1] else None


def _number(row: Row, arrival: Arrival) -> int | str:
    if arrival.second is None:
        return arrival.request_id
    numbers = [each.number for each in row.recent if each.second == arrival.second]
    counted = [each for each in numbers if isinstance(each, int)]
    if len(counted) < len(numbers):
        return arrival.request_id
    return max(counted) + 1 if counted else FIRST


def _moved(row: Row, event: Event, arrival: Arrival) -> Row:
    """Move a row on by a change that follows what it holds."""
    seen = arrival.at
    match event.action:
        case "created":
            return structs.replace(
                row, state=kept(event.payload), state_at=seen, before={}, before_at=0, is_deleted=False
            )
        case "deleted":
            was = None if row.is_deleted else row.state
            return structs.replace(row, before=was, before_at=row.state_at, is_deleted=True)
        case _:
            was = None if row.is_deleted else row.state
            return structs.replace(
                row, state=kept(event.payload), state_at=seen, before=was, before_at=row.state_at, is_deleted=False
            )


def _known(row: Row, kind: str) -> Known:
    """Say what the last event of a row changed."""
    now: State | None = {} if row.is_deleted else row.state
    if row.before is None or now is None or not _is_comparable(kind, row.before, now):
        return NOTHING
    return Known(
        is_known=True,
        changes=changes_between(kind, row.before, now),
        previous=row.before if row.before and len(msgspec.json.encode(row.before)) <= LARGEST_PREVIOUS else None,
        known_at=rfc3339(row.before_at) if row.before_at else None,
    )


def _is_comparable(kind: str, before: State, now: State) -> bool:
    """Return whether two states are of one thing.

    An order is one of the same rules or rollouts: of one that came or went since, no one knows where it was.
    """
    if kind == WITHOUT_ID:
        return False
    listed = ORDERS.get(kind.removesuffix("-order")) if kind.endswith("-order") else None
    return listed is None or _members(before, listed) == _members(now, listed)


def _members(state: State, field: str) -> set[str] | None:
    listed = state.get(field)
    return {each for each in listed if isinstance(each, str)} if isinstance(listed, list) else None
