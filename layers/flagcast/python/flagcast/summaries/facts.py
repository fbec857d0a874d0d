"""What is worth knowing about an event beside its sentence and its changes."""

from collections.abc import Iterator, Set
from datetime import datetime, timedelta
from typing import Final

from flagcast.events.event import Event
from flagcast.primitives.line_of_text import line, shorten
from flagcast.primitives.timestamp import moment_of, written
from flagcast.summaries.before_and_after import now
from flagcast.summaries.field_labels import aspects_of
from flagcast.summaries.reordering import ids_in
from flagcast.summaries.value_text import mapping, said

LONGEST_FACT: Final = 300
LONG_AGO: Final = timedelta(days=30)
"""How long before an event its thing may have been seen without a word about it."""


def facts(event: Event, at: datetime | None, changed: Set[str]) -> Iterator[tuple[str, str]]:
    """Yield labels and values, none of them empty, and none whose label is among those that changed."""
    for label, value in _candidates(event, at):
        if label not in changed and (text := shorten(line(value), LONGEST_FACT)):
            yield label, text


def _candidates(event: Event, at: datetime | None) -> Iterator[tuple[str, str]]:
    if event.is_denied:
        yield "Authorization", "refused by Flipt; nothing has changed"
    state, names = now(event), event.known.names
    *own, last = aspects_of(event)
    for aspect in own:
        value = aspect.write(state, names)
        if value not in (event.resource_key, state.get("key")):
            yield aspect.label, value
    if event.type in ("rule", "rollout"):
        yield "Rank", said(state.get("rank"))
        yield "Order", ", ".join(names.get(each, each) for each in ids_in(event, event.payload))
    yield last.label, last.write(state, names)
    yield "Before", _as_last_seen(event, at)
    actor = mapping(event.metadata.get("actor"))
    email = said(actor.get("email"))
    yield "E-mail", email if email != event.actor else ""
    yield "IP", said(actor.get("ip"))
    replayed = moment_of(event.replayed_at or "")
    yield "Replayed", written(replayed, " ", " UTC") if replayed else ""
    yield "Time", written(at, " ", " UTC") if at else ""


def _as_last_seen(event: Event, at: datetime | None) -> str:
    """Say when what was there before was seen, where that is long ago: Flipt may have changed it since."""
    seen = moment_of(event.known.known_at or "")
    if not event.is_known or seen is None or at is None or at - seen <= LONG_AGO:
        return ""
    return f"as last seen on {seen.date().isoformat()}"
