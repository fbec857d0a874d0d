"""What an event is, by the state table: read within a second, and corrected when it did not answer."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from flagcast.config.model import Source
from flagcast.edges.runtime.bounded_calls import beside
from flagcast.edges.wiring.resources import knowing
from flagcast.events.event import Event
from flagcast.flipt_state.change_tracker import IdentifiedEvent, alone
from flagcast.flipt_state.resend_detection import Arrival
from flagcast.ingest.http_api import Request
from flagcast.primitives.timestamp import epoch_of
from flagcast.tasks.task import event_digest

WITHIN: Final = 1.0
"""Seconds for all reads and writes of the table, and again for writing an event that it does not have."""


def arrival_of(name: str, request: Request, source: Source, event: Event, now: float) -> Arrival:
    """Say how an event came in; `now` (epoch seconds) is used if API Gateway gives no time."""
    moment = epoch_of(event.timestamp) if source.dedupe else None
    return Arrival(
        request_id=request.id,
        taken=request.taken or int(now * 1000),
        second=None if moment is None else int(moment),
        digest=event_digest(name, request.body),
    )


def understand(name: str, event: Event, arrival: Arrival, deadline: float) -> IdentifiedEvent:
    """Settle an event of a source by what Flipt has; what cannot be had in time is unknown."""
    if (rows := knowing()) is None:
        return alone(arrival)
    return rows.settle(name, event, arrival, min(deadline, time.monotonic() + WITHIN))


def recorded(understood: IdentifiedEvent, arrival: Arrival, send: Callable[[], None]) -> None:
    """Send an event's messages; beside that, tell a row that could not be moved on of the event."""
    rows = knowing()
    if rows is None or understood.unsettled is None:
        send()
    else:
        beside(partial(rows.record, understood.unsettled, arrival, time.monotonic() + WITHIN), WITHIN, send)
