"""Which destinations want an event, and which of its tasks must stay in order."""

from collections.abc import Mapping
from typing import Protocol, assert_never

from flagcast.config.model import Ordering
from flagcast.events.event import Event
from flagcast.events.event_filter import EventFilter
from flagcast.events.replay import Replay
from flagcast.tasks.task import group_id


class Route(Protocol):
    """What routing needs to know of a destination."""

    @property
    def events(self) -> tuple[EventFilter, ...]:
        """Return the filters, any of which lets an event pass."""

    @property
    def ordering(self) -> Ordering:
        """Return what stays in order."""


def wants(route: Route, event: Event) -> bool:
    """Return whether one of a destination's `events` matches; they are Flipt's, so they let a notice pass."""
    return any(each.matches(event) for each in route.events) or event.is_notice


def recipients(routes: Mapping[str, Route], event: Event) -> list[str]:
    """Return the names of the destinations that want the event, in the order of the configuration."""
    return [name for name, route in routes.items() if wants(route, event)]


def message_group_id(
    destination: str, ordering: Ordering, about: tuple[str, ...], task_id: str, replay: Replay | None = None
) -> str:
    """Name the group whose tasks SQS hands out one after another; `about` is the event's subject.

    What a replay sends has groups of its own, so that a live event never waits behind it: no destination can have a
    name with a colon (config/validation.py).
    """
    run = () if replay is None else (f"replay:{replay.id}",)
    match ordering:
        case "subject":
            return group_id(*run, destination, *about)
        case "destination":
            return group_id(*run, destination)
        case "none":
            return group_id(task_id)
    assert_never(ordering)
