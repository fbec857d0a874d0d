"""Sample events with what could be known of them, so that what templates say of changes is tried too."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import structs

from flagcast.events.change_context import Known
from flagcast.events.event import Event
from flagcast.flipt_state.changes import changes_between
from flagcast.flipt_state.thing_keys import named_by

_SEEN = "2026-01-01T02:03:04Z"


def with_changes(events: Iterable[tuple[str, Event]]) -> Iterator[tuple[str, Event]]:
    """Yield the first event of each source, type and action again, as if its thing had been seen before."""
    met = set()
    for name, event in events:
        kind = (event.source, event.type, event.action, event.is_order)
        if kind not in met and (known := known_or_not(event)).is_known:
            met.add(kind)
            yield f"{name}, its changes known", known


def known_or_not(event: Event) -> Event:
    """Return an event as if its thing had been seen before in another state; as it is where it names nothing."""
    return structs.replace(event, known=_known(event, event.payload)) if isinstance(event.payload, dict) else event


def _known(event: Event, payload: dict[str, Any]) -> Known:
    was = {} if event.action == "created" else {field: _other(value) for field, value in payload.items()}
    now = {} if event.action == "deleted" else payload
    known = Known(
        is_known=True,
        changes=changes_between(event.type, was, now),
        previous=was or None,
        known_at=_SEEN,
        names=dict.fromkeys(named_by(event), "a-name"),
    )
    if event.type != "distribution":
        return known
    return structs.replace(known, namespace="production", flag_key="new-checkout")


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case str():
            return f"{value}-before"
        case int() | float():
            return value + 1
        case list():
            return value[::-1]
        case _:
            return value
