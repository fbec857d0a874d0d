"""What the thing of an event is now, and what it was before."""

from typing import Any

from flagcast.events.event import Event
from flagcast.summaries.value_text import mapping


def now(event: Event) -> dict[str, Any]:
    """Return what an event says of its thing; of a deleted one what it was last, as far as that is known."""
    payload = mapping(event.payload)
    return {**before(event), **payload} if event.action == "deleted" else payload


def before(event: Event) -> dict[str, Any]:
    """Return what was there before, long texts cut where only the changes are known; empty where nothing is known."""
    if event.previous is not None or not event.is_known:
        return event.previous or {}
    was = dict(mapping(event.payload))
    for change in event.changes:
        _put(was, change.field.split("."), change.before)
    return was


def _put(state: dict[str, Any], path: list[str], value: object) -> None:
    for part in path[:-1]:
        state[part] = dict(mapping(state.get(part)))
        state = state[part]
    state[path[-1]] = value
