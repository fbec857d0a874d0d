"""From a line that the functions log to a row: docs/architecture.md lists the lines' fields. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from flagcast.events.event import NOTICE, NOTICES
from flagcast.primitives.timestamp import epoch_of
from flagcast_cli.ledger.rows import Attempt, Event, Rejection, Result, Row, State, Who

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


class _Accepted(Who, frozen=True):
    event_id: str
    source: str = ""
    type: str = ""
    action: str = ""
    destinations: tuple[str, ...] = ()
    changes: list[dict[str, Any]] | None = None


class _Rejected(Struct):
    reason: str
    source: str = "-"


class _Notice(Struct):
    event_id: str
    kind: str
    destination: str
    through: str


class _Attempted(Result, frozen=True):
    event_id: str
    destination: str
    outcome: str
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
        line.id, said.event_id, line.at, said.source, said.type, said.action, said.destinations, changes,
        **_kept(said, Who),
    )  # fmt: skip


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
    state = _STATES.get(said.outcome) or _WAITING.get(said.why or "", "waiting")
    times = _milliseconds(said.next_attempt_at), _milliseconds(said.gives_up_at)
    return Attempt(line.id, said.event_id, said.destination, line.at, state, *times, **_kept(said, Result))


def _kept(said: Struct, kind: type[Struct]) -> dict[str, Any]:
    return {name: getattr(said, name) for name in kind.__struct_fields__}


def _milliseconds(moment: str | None) -> int | None:
    seconds = epoch_of(moment) if moment else None
    return None if seconds is None else round(seconds * 1000)
