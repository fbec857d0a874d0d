"""Which destinations want an event, and which of its tasks must stay in order."""

from collections.abc import Mapping
from typing import Literal, Protocol, assert_never

from flagcast.core.event import DEFAULT_NAMESPACE, Event
from flagcast.core.filters import EventFilter
from flagcast.core.task import group_id

Ordering = Literal["subject", "destination", "none"]


class Route(Protocol):
    """What routing needs to know of a destination."""

    @property
    def events(self) -> tuple[EventFilter, ...]:
        """Return the filters, any of which lets an event pass."""

    @property
    def ordering(self) -> Ordering:
        """Return what stays in order."""


def wants(route: Route, event: Event) -> bool:
    """Tell whether one of a destination's `events` matches; they are Flipt's, so they let a notice pass."""
    return any(each.matches(event) for each in route.events) or event.is_notice


def recipients(routes: Mapping[str, Route], event: Event) -> list[str]:
    """Return the names of the destinations that want the event, in the order of the configuration."""
    return [name for name, route in routes.items() if wants(route, event)]


def message_group_id(destination: str, ordering: Ordering, about: tuple[str, ...], task_id: str) -> str:
    """Name the group whose tasks SQS hands out one after another; `about` is the event's subject."""
    match ordering:
        case "subject":
            return group_id(destination, *about)
        case "destination":
            return group_id(destination)
        case "none":
            return group_id(task_id)
    assert_never(ordering)


def subject(event: Event) -> tuple[str, ...]:
    """Return what the event is about, so that changes to one thing stay in order.

    Values make the subject, not the fields they stood in: a flag, its variants and its rules share one, and so do
    an update with and a deletion without `namespace_key`. A distribution says no flag when it is created: it belongs
    to its rule's, or to its rule as long as that is unknown. A denied event says nothing but its type.
    """
    if event.known.subject:
        return event.known.subject
    payload = event.payload if isinstance(event.payload, dict) else {}
    is_known = event.known.namespace is not None and event.known.flag_key is not None
    if event.type == "distribution" and not is_known and isinstance(rule := payload.get("rule_id"), str) and rule:
        return ("rule", rule)
    namespace = event.namespace or DEFAULT_NAMESPACE
    if event.flag_key:
        return ("flag", namespace, event.flag_key)
    if event.segment_key:
        return ("segment", namespace, event.segment_key)
    if isinstance(key := payload.get("key"), str) and key:
        return ("key", namespace, key)
    return ("type", event.type)
