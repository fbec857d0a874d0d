"""The row of a thing: what it was when it was last seen, and which events about it were accepted."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, structs

MOST_RECENT: Final = 20
"""Accepted events that a row remembers; more of one second than this are numbered on from the highest."""


Moment = Annotated[int, Meta(ge=0, lt=253_402_300_800)]
"""Epoch seconds up to the year 9999: what can be written as RFC 3339."""


class Accepted(Struct, frozen=True, array_like=True):
    """An event that was accepted.

    `second` is its timestamp (epoch seconds; None if it has none), `taken` when API Gateway received its request (epoch
    milliseconds), `digest` the hash of its body, `number` what it has unlike others of the same body: how many of its
    second came before it, or the id of its request.
    """

    second: int | None
    taken: int
    digest: str
    number: int | str

    @property
    def at(self) -> int:
        """Return its timestamp, never later than its receipt; the receipt if there is none (epoch seconds)."""
        received = self.taken // 1000
        return received if self.second is None else min(self.second, received)


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
    state_at: Moment = 0
    before_at: Moment = 0
    is_deleted: bool = False
    at: Moment = 0
    recent: tuple[Accepted, ...] = ()
    subject: tuple[str, ...] = ()
    namespace: str | None = None
    flag_key: str | None = None

    @property
    def taken(self) -> int:
        """Return when the last request that this row knows of was received (epoch milliseconds)."""
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

    They go where their requests were received, and each once: an update that timed out can arrive after a later event
    has moved the row, or twice.
    """
    missing = [each for each in dict.fromkeys(unsettled) if each not in row.recent]
    if not missing:
        return row
    recent = sorted((*row.recent, *missing), key=lambda each: each.taken)[-MOST_RECENT:]
    return structs.replace(row, state=None, before=None, is_deleted=False, recent=tuple(recent))


def learned(row: Row, state: dict[str, Any] | None, asked: int, answered: int) -> Row | None:
    """Return the row with what Flipt itself said a thing is; None if nothing is to be written.

    `asked` and `answered` are Flipt's own times around that word (epoch seconds): no later than it was asked, and when
    it answered. What an event of `asked` or later has written stays, as it may be newer. What comes in later and says
    that it happened by `answered` is older than the row: Flipt's word may have held it already.
    """
    if is_newer(row, asked) or (state == row.state and not row.is_deleted):
        return None
    at = max(row.at, answered + 1)
    return structs.replace(row, state=state, before=None, state_at=answered, before_at=0, is_deleted=False, at=at)


def learned_gone(row: Row, asked: int, answered: int) -> Row | None:
    """Return the row of a thing that Flipt no longer has; None if nothing is to be written (see learned)."""
    if is_newer(row, asked) or row.is_deleted:
        return None
    return structs.replace(row, before=None, before_at=0, is_deleted=True, at=max(row.at, answered + 1))


def is_newer(row: Row, since: int) -> bool:
    """Return whether an event of this time or later was accepted, settled or not (epoch seconds)."""
    return row.at >= since or any(each.at >= since for each in row.recent)
