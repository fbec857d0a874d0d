"""Small makers of events, destinations and messages, with only what a test is about left to say."""

import json
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from flagcast.config.model import Configuration, Destination, FaultyDestination, convert
from flagcast.config.read import read
from flagcast.events.change_context import Known
from flagcast.events.event import Event, InvalidEvent, Origin, parse
from flagcast.flipt_state.changes import changes_between
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import Task, decode, encode, task

NOWHERE = Origin()
RAW = b'{"type":"flag","action":"updated","payload":{"key":"new-ui"},"timestamp":"2026-01-02T03:04:05Z"}'
RECEIVED_AT = "2026-01-02T03:04:06.789Z"

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=12,
)


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: float = 1000, monotonic: float = 50) -> None:
        self._now = now
        self._monotonic = monotonic

    def now(self) -> float:
        """Return epoch seconds."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds from some point."""
        return self._monotonic

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._monotonic += seconds


def middle() -> float:
    """Stand in for random.random where no jitter is wanted."""
    return 0.5


def body(**wire: Any) -> bytes:
    """Write an event's body; type and action need not be said."""
    return json.dumps({"type": "flag", "action": "updated", **wire}).encode()


def event_of(raw: bytes, origin: Origin = NOWHERE) -> Event:
    """Read a body that is known to be an event."""
    event = parse(raw, origin)
    assert not isinstance(event, InvalidEvent), event
    return event


def event(origin: Origin = NOWHERE, **wire: Any) -> Event:
    """Make an event of its wire fields."""
    return event_of(body(**wire), origin)


def changed(kind: str, before: dict[str, Any], after: dict[str, Any], **known: Any) -> Event:
    """Make the update of a thing from one payload to another, with what ingest then knows; Ada did it."""
    actor = {"actor": {"name": "ada"}}
    made = event(type=kind, payload=after, metadata=actor, timestamp="2026-01-02T03:04:05Z")
    told = {"changes": changes_between(kind, before, after), "previous": before, "known_at": "2026-01-01T00:00:00Z"}
    return structs.replace(made, known=Known(is_known=True, **(told | known)))


def destination(**keys: Any) -> Destination:
    """Make a destination as the configuration would, with an address if none is said."""
    made = convert({"url": "https://hooks.example.com/in", **keys}, Destination)
    assert isinstance(made, Destination)
    return made


def configuration(destination_keys: str = "{url: https://hooks.example.com/in}") -> Configuration:
    """Read a configuration with the source `flipt`, the destination `mirror`, and `faulty` beside them."""
    text = f"""
        sources:
          flipt: {{auth: none, environment: production, flipt_url: https://flipt.example.com}}
          broken: {{}}
        destinations:
          mirror: {destination_keys}
          faulty: {{url: ftp://a, timeout: 31s}}
    """
    made = read(text)
    assert isinstance(made.destinations["faulty"], FaultyDestination)
    return made


def task_for(name: str = "mirror", raw: bytes = RAW, source: str = "flipt") -> Task:
    """Make the task of one event for one destination."""
    return task("evt_1", source, name, RECEIVED_AT, raw)


def message(
    carried: Task | str | None = None,
    *,
    name: str = "m1",
    group: str = "g1",
    receives: int = 1,
    sent_at: float = 1000,
) -> Message:
    """Make a message that carries a task, or a body that is none."""
    text = carried if isinstance(carried, str) else encode(carried or task_for())
    return Message(name, f"receipt-{name}", text, group, "18850", receives, sent_at, decode(text))
