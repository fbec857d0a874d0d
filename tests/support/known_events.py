"""Recorded events with what ingest knows of each, by the rows that it keeps."""

from functools import cache
from random import Random

from msgspec import structs

from flagcast.errors import StateUnavailable
from flagcast.events.event import Event, Origin, parse
from flagcast.flipt_state.change_tracker import ChangeTracker
from flagcast.flipt_state.resend_detection import Arrival
from tests.flipt_model.table import Table
from tests.support.captures import states

RECEIVED = 1_795_713_651
"""When the first of them came in (epoch seconds); the others a second apart."""


class _Journal:
    def state_failed(self, action: str, error: StateUnavailable) -> None:
        raise AssertionError(action) from error


@cache
def told(origin: Origin) -> tuple[Event, ...]:
    """Return the recorded life of a namespace, each event with its changes and names."""
    knowing = ChangeTracker(Table(Random(0), 0), _Journal())
    bodies = [body for change in states() for body in change.events]
    return tuple(_settled(knowing, body, origin, RECEIVED + at) for at, body in enumerate(bodies))


def _settled(knowing: ChangeTracker, body: bytes, origin: Origin, at: int) -> Event:
    event = parse(body, origin)
    assert isinstance(event, Event)
    arrival = Arrival(f"r{at}", at * 1000, at, f"{at}")
    return structs.replace(event, known=knowing.settle(origin.source, event, arrival, 0).known)
