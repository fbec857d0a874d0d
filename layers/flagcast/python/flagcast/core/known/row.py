"""The row of a thing: what it was when it was last seen, and which events about it were accepted."""

from typing import Any, Final

import msgspec
from msgspec import Struct, structs

MOST_RECENT: Final = 20
"""Accepted events that a row remembers; more of one second than this are numbered on from the highest."""


class Accepted(Struct, frozen=True, array_like=True):
    """An event that was accepted.

    `second` is its timestamp (epoch seconds; None if it has none), `taken` when API Gateway took its request in (epoch
    milliseconds), `digest` the hash of its body, `number` what tells it from others of the same body: how many of its
    second came before it, or the id of its request.
    """

    second: int | None
    taken: int
    digest: str
    number: int | str


class Row(Struct, frozen=True, omit_defaults=True):
    """What is known of a thing.

    `state` is its payload as last seen, after a deletion what it was then; None if that is unknown. `before` is what
    the last event replaced: None if unknown, empty if nothing was there. `state_at` and `before_at` say when either was
    seen (epoch seconds). `at` is the timestamp of the last event, never later than its receipt: a clock that runs ahead
    would make everything after it older. `subject`, `namespace` and `flag_key` stay with a distribution, so that all
    its events are one message group's.
    """

    state: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    state_at: int = 0
    before_at: int = 0
    is_deleted: bool = False
    at: int = 0
    recent: tuple[Accepted, ...] = ()
    subject: tuple[str, ...] = ()
    namespace: str | None = None
    flag_key: str | None = None

    @property
    def taken(self) -> int:
        """Return when the last request was taken in that this row knows of (epoch milliseconds)."""
        return max((each.taken for each in self.recent), default=0)


UNKNOWN: Final = Row()
"""The row of a thing that was never seen."""


def encode(row: Row) -> str:
    """Write a row as JSON."""
    return msgspec.json.encode(row).decode()


def decode(text: str) -> Row:
    """Read a row; raises msgspec.DecodeError."""
    return msgspec.json.decode(text, type=Row)


def encode_accepted(event: Accepted) -> str:
    """Write an event that could not be settled, to be added to its row."""
    return msgspec.json.encode(event).decode()


def decode_accepted(text: str) -> Accepted:
    """Read such an event; raises msgspec.DecodeError."""
    return msgspec.json.decode(text, type=Accepted)


def with_unsettled(row: Row, unsettled: tuple[Accepted, ...]) -> Row:
    """Add events that were accepted while the row could not be read or written: what the thing is now is unknown.

    They go where their requests were taken in, and each once: an update that timed out can arrive after a later event
    has moved the row, or twice.
    """
    missing = [each for each in dict.fromkeys(unsettled) if each not in row.recent]
    if not missing:
        return row
    recent = sorted((*row.recent, *missing), key=lambda each: each.taken)[-MOST_RECENT:]
    return structs.replace(row, state=None, before=None, is_deleted=False, recent=tuple(recent))


def learned(row: Row, state: dict[str, Any], at: int) -> Row | None:
    """Return the row with what Flipt itself said a thing is; None if nothing is to be written.

    `at` is when it said so (epoch seconds). What an event of that second or later has written stays.
    """
    is_newer = row.at >= at and row.state is not None
    if is_newer or (state == row.state and not row.is_deleted):
        return None
    return structs.replace(
        row, state=state, before=None, state_at=at, before_at=0, is_deleted=False, at=max(at, row.at)
    )
