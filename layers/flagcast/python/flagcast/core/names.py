"""The names that templates and expressions know."""

from collections.abc import Mapping
from typing import Any

from flagcast.core.event import Event
from flagcast.core.summary import summarise


def names_for(event: Event, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the names that stand for an event."""
    return {"event": event, "summary": summarise(event), "vars": variables}
