"""The names that templates and expressions know."""

from collections.abc import Mapping
from typing import Any

from flagcast.events.event import Event
from flagcast.summaries.event_summary import summarise
from flagcast.summaries.notice_summary import summarise_notice


def names_for(event: Event, variables: Mapping[str, str], *, with_summary: bool = True) -> dict[str, Any]:
    """Return the names that stand for an event; the summary, which takes longest, only for what may ask for it."""
    names: dict[str, Any] = {"event": event, "vars": variables}
    if with_summary:
        names["summary"] = summarise_notice(event) if event.is_notice else summarise(event)
    return names
