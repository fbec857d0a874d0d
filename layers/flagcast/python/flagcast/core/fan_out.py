"""An accepted event to one message for each destination that wants it."""

from collections.abc import Mapping

from flagcast.core.entry import Entry
from flagcast.core.event import Event
from flagcast.core.routing import Route, message_group_id, recipients, subject
from flagcast.core.task import deduplication_id, encode, event_id, task


def identify(source: str, raw: bytes, event: Event, *, dedupe: bool, request_id: str) -> str:
    """Name an accepted event.

    A body without a timestamp is the same whenever the same is done again (a flag switched on, off and on), so the
    request makes it an event of its own; so does `dedupe: false`.
    """
    return event_id(source, raw, None if dedupe and event.timestamp else request_id)


def fan_out(
    identity: str, source: str, received_at: str, event: Event, routes: Mapping[str, Route]
) -> dict[str, Entry]:
    """Return the message for each destination that wants the event."""
    about = subject(event)
    entries: dict[str, Entry] = {}
    for destination in recipients(routes, event):
        made = task(identity, source, destination, received_at, event.raw)
        group = message_group_id(destination, routes[destination].ordering, about, made.id)
        entries[destination] = Entry(encode(made), group, deduplication_id(made.id))
    return entries
