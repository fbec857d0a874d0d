"""What the commands answer: the types of --json, whose fields stay as they are; docs/operations.md lists them.

Times are RFC 3339 in UTC. What is not known is null.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.ledger.rows import State

_TIMES = ("at", "accepted_at", "attempted_at", "next_attempt_at", "gives_up_at")


class Change(Struct, frozen=True):
    """One field that an event changed; `is_before_known` is false where Flipt may have had a value and not sent it."""

    field: str
    before: bool | int | float | str | None = None
    after: bool | int | float | str | None = None
    is_before_known: bool = True


class Standing(Struct, frozen=True):
    """How a delivery of an event stands."""

    destination: str
    state: State


class Event(Struct, frozen=True):
    """An accepted event; `changes` is null where what was there before is unknown."""

    event_id: str
    accepted_at: str
    source: str
    type: str
    action: str
    denied: bool
    namespace: str | None
    flag: str | None
    segment: str | None
    resource: str | None
    actor: str | None
    title: str | None
    changes: list[Change] | None
    more_changes: int
    deliveries: list[Standing]

    @property
    def what(self) -> str:
        """Say what happened: the title, else type and action."""
        return self.title or f"{self.type} {self.action}"


class Attempt(Struct, frozen=True):
    """What came of a delivery at one time; `attempt` counts the requests so far, and stays where none was made."""

    at: str
    state: State
    attempt: int
    receives: int
    message_id: str
    duration_ms: int
    status: int | None
    why: str | None
    cause: str | None
    detail: str | None
    reason: str | None
    answer: str | None
    waits_for: str | None
    replay: str | None
    next_attempt_at: str | None
    gives_up_at: str | None


class Delivery(Struct, frozen=True):
    """One event for one destination, with its last attempt; what is of the event is null where its line is missing."""

    event_id: str
    destination: str
    state: State
    accepted_at: str
    attempted_at: str | None
    attempt: int | None
    duration_ms: int | None
    status: int | None
    why: str | None
    cause: str | None
    detail: str | None
    reason: str | None
    answer: str | None
    waits_for: str | None
    replay: str | None
    next_attempt_at: str | None
    gives_up_at: str | None
    source: str | None
    type: str | None
    action: str | None
    namespace: str | None
    flag: str | None
    actor: str | None
    title: str | None

    @property
    def what(self) -> str:
        """Say what the event is, as far as it is known."""
        return self.title or f"{self.type or 'an event'} {self.action or ''}".strip()


class Happened(Struct, frozen=True):
    """One line of `flagcast tail`: an event that was accepted, or an attempt to deliver one; the other is null."""

    event_id: str
    destination: str | None
    what: str
    event: Event | None = None
    attempt: Attempt | None = None


class DeliveryWithAttempts(Struct, frozen=True):
    """A delivery, and all that happened to it, oldest first.

    `is_in_queue` says of a dead-lettered one whether its dead letter is still there; null of others, and where the
    queue could not be asked.
    """

    destination: str
    state: State
    attempts: list[Attempt]
    is_in_queue: bool | None = None


class OneEvent(Struct, frozen=True):
    """What `flagcast event` answers; `event` is null where its line is older than what was copied."""

    event_id: str
    event: Event | None
    deliveries: list[DeliveryWithAttempts]


def event(row: Mapping[str, Any]) -> Event:
    """Make an answer of a row."""
    changes = row["changes"]
    return _made(
        Event,
        {
            **row,
            "accepted_at": row["at"],
            "denied": bool(row["denied"]),
            "changes": None if changes is None else msgspec.json.decode(changes),
            "deliveries": msgspec.json.decode(row["deliveries"]),
        },
    )


def delivery(row: Mapping[str, Any]) -> Delivery:
    """Make an answer of a row."""
    return _made(Delivery, row)


def attempt(row: Mapping[str, Any]) -> Attempt:
    """Make an answer of a row."""
    return _made(Attempt, row)


def accepted(row: Mapping[str, Any]) -> Happened:
    """Make a line of tail of an event's row."""
    made = event(row)
    return Happened(made.event_id, None, made.what, event=made)


def attempted(row: Mapping[str, Any]) -> Happened:
    """Make a line of tail of an attempt's row, which has its event's title."""
    what = row["title"] or " ".join(each for each in (row["type"], row["action"]) if each)
    return Happened(row["event_id"], row["destination"], what, attempt=attempt(row))


def _made[T](kind: type[T], row: Mapping[str, Any]) -> T:
    times = {name: rfc3339(row[name] / 1000) for name in _TIMES if row.get(name) is not None}
    return msgspec.convert({**row, **times}, kind)
