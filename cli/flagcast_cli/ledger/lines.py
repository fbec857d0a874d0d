"""From the functions' log lines to the rows of the ledger: pure. docs/architecture.md lists the lines' fields."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from flagcast.core.event import NOTICE, NOTICES
from flagcast.core.moment import epoch_of
from flagcast_cli.ledger.rows import Attempt, Event, State

MOST_OF_A_LINE: Final = 1 << 20
"""Bytes of a line in several events that are waited for: CloudWatch takes no larger event.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
_OURS: Final = '{"event":'
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


class Lines:
    """Reads log events in the order of their streams; what is not a line of Flagcast's gives no row.

    A line that was split over several events of a stream is put together again. `unreadable` counts lines that look
    like Flagcast's and cannot be read.
    """

    def __init__(self) -> None:
        """Begin without a line that waits for its rest."""
        self.unreadable = 0
        self._begun: dict[str, LogEvent] = {}

    def read(self, each: LogEvent) -> Iterator[Event | Attempt]:
        """Yield the row of a log event, if it has one; a line's row has the id and time of its first event."""
        begun = self._begun.pop(each.stream, None)
        if each.message.startswith(_OURS):
            self.unreadable += begun is not None
            whole = each
        elif begun is not None and len(begun.message) < MOST_OF_A_LINE:
            whole = msgspec.structs.replace(begun, message=begun.message.removesuffix("\n") + each.message)
        else:
            self.unreadable += begun is not None
            return
        try:
            row = _row(whole)
        except (msgspec.ValidationError, RecursionError):
            self.unreadable += 1
        except msgspec.DecodeError:
            self._begun[each.stream] = whole
        else:
            if row is not None:
                yield row


def _row(line: LogEvent) -> Event | Attempt | None:
    """Return the row of a whole line; raises msgspec.DecodeError where it is not whole, ValidationError where odd."""
    match msgspec.json.decode(line.message, type=_Kind).event:
        case "event.accepted":
            return _event(line, msgspec.json.decode(line.message, type=_Accepted))
        case "notice.queued":
            return _notice(line, msgspec.json.decode(line.message, type=_Notice))
        case "delivery.attempted":
            return _attempt(line, msgspec.json.decode(line.message, type=_Attempted))
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
