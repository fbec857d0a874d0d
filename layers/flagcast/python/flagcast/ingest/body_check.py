"""What becomes of an authentic body: an event to store, Flagcast's own probe, or a reason to reject it."""

import msgspec
from msgspec import Struct

from flagcast.events.event import NOTICE, Event, InvalidEvent, parse
from flagcast.primitives.duration import Duration
from flagcast.primitives.timestamp import epoch_of

PROBE = "probe"
"""The one action of type `flagcast` that a source can send; it asks whether events are accepted."""

RESERVED = f"type {NOTICE} is Flagcast's own; a source can send only its action {PROBE}"


class Probe(Struct, frozen=True):
    """A probe of the operator's, to be answered and forgotten."""

    event: Event


class TooOld(Struct, frozen=True):
    """An event that the source's `max_age` rejects; `detail` says why without quoting it."""

    detail: str


Taken = Event | Probe | TooOld | InvalidEvent


def take(raw: bytes, max_age: Duration | None, now: float) -> Taken:
    """Read an authentic body; `now` in epoch seconds.

    A probe is held to `max_age` like any event. A timestamp in the future is accepted: clocks differ.
    """
    event = parse(raw)
    if isinstance(event, InvalidEvent):
        return event
    if event.type == NOTICE and event.action != PROBE:
        return InvalidEvent(RESERVED)
    if max_age is not None and (detail := _too_old(event.timestamp, max_age, now)) is not None:
        return TooOld(detail)
    return Probe(event) if event.type == NOTICE else event


def probe(timestamp: str) -> bytes:
    """Write the body of a probe, in the shape of Flipt's events; `timestamp` is RFC 3339."""
    wire: dict[str, object] = {
        "version": "0.2", "type": NOTICE, "action": PROBE,
        "metadata": {}, "payload": None, "timestamp": timestamp, "status": "success",
    }  # fmt: skip
    return msgspec.json.encode(wire)


def _too_old(timestamp: str, max_age: Duration, now: float) -> str | None:
    if (moment := epoch_of(timestamp)) is None:
        return "no readable timestamp"
    age = now - moment
    return f"{age:.0f} s old; max_age is {max_age:g} s" if age > max_age else None
