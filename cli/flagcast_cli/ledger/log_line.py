"""From a line that the functions log to a row: docs/architecture.md lists the lines' fields. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from flagcast.events.event import NOTICE, NOTICES
from flagcast.primitives.timestamp import epoch_of
from flagcast_cli.ledger.rows import Attempt, Event, Rejection, Row, State

_STATES: Final[Mapping[str, State]] = {
    "delivered": "delivered",
    "filtered": "filtered",
    "dead_lettered": "dead-lettered",
    "retrying": "retrying",
}
_WAITING: Final[Mapping[str, State]] = {"Paused": "paused", "Throttled": "rate-limited", "CircuitOpen": "circuit-open"}


class LogEvent(Struct, frozen=True):
    """One event of a log stream, as FilterLogEvents returns it; `at` in epoch milliseconds."""

    id: str
    stream: str
    at: int
    message: str


def log_event(found: Mapping[str, Any]) -> LogEvent:
    """Read one event of FilterLogEvents; the local stack gives none an id."""
    stream, at, message = found.get("logStreamName", ""), int(found["timestamp"]), found.get("message", "")
    said = "\0".join((stream, str(at), str(found.get("ingestionTime", "")), message))
    return LogEvent(found.get("eventId") or hashlib.sha256(said.encode()).hexdigest(), stream, at, message)


class _Kind(Struct):
    event: str = ""


class _Accepted(Struct):
    event_id: str
    source: str = ""
    type: str = ""
    action: str = ""
    denied: bool = False
    destinations: tuple[str, ...] = ()
    namespace: str | None = None
    flag: str | None = None
    segment: str | None = None
    resource: str | None = None
    actor: str | None = None
    title: str | None = None
    changes: list[dict[str, Any]] | None = None
    more_changes: int = 0


class _Rejected(Struct):
    reason: str
    source: str = "-"


class _Notice(Struct):
    event_id: str
    kind: str
    destination: str
    through: str


class _Attempted(Struct):
    event_id: str
    destination: str
    outcome: str
    message_id: str = ""
    attempt: int = 0
    receives: int = 0
    duration_ms: int = 0
    status: int | None = None
    why: str | None = None
    cause: str | None = None
    detail: str | None = None
    reason: str | None = None
    answer: str | None = None
    waits_for: str | None = None
    next_attempt_at: str | None = None
    gives_up_at: str | None = None


def row_of(line: LogEvent) -> Row | None:
    """Return the row of a whole line; raises msgspec.DecodeError where it is not whole, ValidationError where odd."""
    match msgspec.json.decode(line.message, type=_Kind).event:
        case "event.accepted":
            return _event(line, msgspec.json.decode(line.message, type=_Accepted))
        case "notice.queued":
            return _notice(line, msgspec.json.decode(line.message, type=_Notice))
        case "delivery.attempted":
            return _attempt(line, msgspec.json.decode(line.message, type=_Attempted))
        case "event.rejected":
            rejected = msgspec.json.decode(line.message, type=_Rejected)
            return Rejection(line.id, line.at, rejected.source, rejected.reason)
        case _:
            return None


def _event(line: LogEvent, said: _Accepted) -> Event:
    changes = None if said.changes is None else msgspec.json.encode(said.changes).decode()
    return Event(
        id=line.id,
        event_id=said.event_id,
        at=line.at,
        source=said.source,
        type=said.type,
        action=said.action,
        denied=said.denied,
        destinations=said.destinations,
        namespace=said.namespace,
        flag=said.flag,
        segment=said.segment,
        resource=said.resource,
        actor=said.actor,
        title=said.title,
        changes=changes,
        more_changes=said.more_changes,
    )


def _notice(line: LogEvent, said: _Notice) -> Event:
    """Return Flagcast's own event about a destination: deliver queued it, so no request was accepted for it."""
    return Event(
        id=line.id,
        event_id=said.event_id,
        at=line.at,
        source=NOTICES,
        type=NOTICE,
        action=said.kind,
        destinations=(said.through,),
        title=f"Flagcast: destination {said.destination} {said.kind}",
    )


def _attempt(line: LogEvent, said: _Attempted) -> Attempt:
    return Attempt(
        id=line.id,
        event_id=said.event_id,
        destination=said.destination,
        at=line.at,
        state=_STATES.get(said.outcome) or _WAITING.get(said.why or "", "waiting"),
        message_id=said.message_id,
        attempt=said.attempt,
        receives=said.receives,
        duration_ms=said.duration_ms,
        status=said.status,
        why=said.why,
        cause=said.cause,
        detail=said.detail,
        reason=said.reason,
        answer=said.answer,
        waits_for=said.waits_for,
        next_attempt_at=_milliseconds(said.next_attempt_at),
        gives_up_at=_milliseconds(said.gives_up_at),
    )


def _milliseconds(moment: str | None) -> int | None:
    seconds = epoch_of(moment) if moment else None
    return None if seconds is None else round(seconds * 1000)
