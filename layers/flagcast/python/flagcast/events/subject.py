"""What an event is about, so that changes to one thing stay in order."""

import hashlib

from flagcast.events.event import DEFAULT_NAMESPACE, Event


def subject(event: Event) -> tuple[str, ...]:
    """Return what the event is about, so that changes to one thing stay in order.

    Values make the subject, not the fields they were in: a flag, its variants and its rules share one, and so do
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


def subject_digest(about: tuple[str, ...]) -> str:
    """Name a subject for the log, whatever is in it: 64 bits that say no name, so they are there with LogNames=off."""
    return hashlib.sha256("\0".join(about).encode()).hexdigest()[:16]
