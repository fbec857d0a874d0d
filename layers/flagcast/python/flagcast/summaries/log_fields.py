"""What a log line says of an event, of an attempt's outcome and of what a task waits for, within bounds.

A line that is too long for CloudWatch would be lost with its metrics, so every text is cut. Names, actors, titles,
changes and answers can be personal data: where `names` is False they are left out (template.yaml, LogNames).
"""

from typing import Any, Final, Literal

import msgspec

from flagcast.events.event import Event
from flagcast.events.subject import subject, subject_digest
from flagcast.primitives.render_failure import RenderFailed
from flagcast.summaries.action_phrases import title
from flagcast.tasks.outcomes import (
    Answered,
    CircuitOpen,
    Decision,
    DependencyFailed,
    Faulty,
    Filtered,
    FilterFailed,
    Newer,
    NotAccepted,
    NotNow,
    Outcome,
    Paused,
    RetryIn,
    Slowed,
    Throttled,
    UnknownDestination,
    Unreachable,
)

LONGEST_WORD: Final = 64
"""Characters of an event's type and action."""
LONGEST_NAME: Final = 100
"""Characters of a name, and of a value in a change."""
LONGEST_TITLE: Final = 300
LONGEST_ANSWER: Final = 200
MOST_CHANGES: Final = 10

WaitsFor = Literal[
    "retry", "rate_limit", "retry_after", "pause", "circuit", "configuration", "version", "dependency", "dead_letter"
]
"""What a task waits for: the next attempt by its schedule, a slot of its rate, the end of the time for which the
destination asked to be left alone, the end of a pause, its circuit, a corrected configuration, a newer function, a
secret or a stored body, the dead-letter queue."""


def of_event(event: Event, *, names: bool) -> dict[str, Any]:
    """Return what a line says of an event; changes are left out where what was there before is unknown."""
    fields: dict[str, Any] = {
        "type": event.type[:LONGEST_WORD],
        "action": event.action[:LONGEST_WORD],
        "denied": event.is_denied,
        "subject": subject_digest(subject(event)),
    }
    if not names:
        return fields
    keys = {
        "namespace": event.namespace,
        "flag": event.flag_key,
        "segment": event.segment_key,
        "resource": event.resource_key,
        "actor": event.actor,
    }
    fields |= {field: _cut(key) for field, key in keys.items() if key}
    fields["title"] = title(event)[:LONGEST_TITLE]
    if event.is_known:
        fields["changes"] = [_bounded(msgspec.to_builtins(each)) for each in event.changes[:MOST_CHANGES]]
    if len(event.changes) > MOST_CHANGES:
        fields["more_changes"] = len(event.changes) - MOST_CHANGES
    return fields


def of_outcome(outcome: Outcome | None, *, names: bool) -> dict[str, Any]:
    """Return what a line says of an outcome; secrets have been taken out of answers before (delivery/attempt.py)."""
    match outcome:
        case None | Filtered():
            return {}
        case Answered(status, retry_after, excerpt):
            asked = {} if retry_after is None else {"retry_after": retry_after}
            return {"status": status, **asked, **_answer(excerpt, names=names)}
        case NotAccepted(status, detail):
            return {"why": "NotAccepted", "status": status, **_answer(detail, names=names)}
        case NotNow(status, retry_after, detail):
            said = {"why": "NotNow", "status": status, "retry_after": retry_after}
            return {**said, **_answer(detail, names=names)}
        case RenderFailed(detail, spot):
            where = {"spot": str(spot)} if spot else {}
            return {"why": "RenderFailed", **where, **({"detail": detail} if names else {})}
        case FilterFailed() if not names:
            # What an expression or a template came to can quote the event.
            return {"why": "FilterFailed"}
        case _:
            return {"why": type(outcome).__name__, **msgspec.to_builtins(outcome)}


def waits_for(outcome: Outcome | None, decision: Decision) -> WaitsFor | None:
    """Return what a task waits for that stays on the queue; None for one that leaves it."""
    if not isinstance(decision, RetryIn):
        return None
    match outcome:
        case Answered() | NotNow() | Unreachable():
            return "retry"
        case Throttled():
            return "rate_limit"
        case Slowed():
            return "retry_after"
        case Paused():
            return "pause"
        case CircuitOpen():
            return "circuit"
        case Faulty() | UnknownDestination():
            return "configuration"
        case Newer():
            return "version"
        case DependencyFailed():
            return "dependency"
        case _:
            # It was given up, and the dead-letter queue did not take it.
            return "dead_letter"


def _answer(text: str, *, names: bool) -> dict[str, str]:
    return {"answer": text[:LONGEST_ANSWER]} if text and names else {}


def _bounded(change: dict[str, Any]) -> dict[str, Any]:
    return {field: _cut(value) for field, value in change.items()}


def _cut(value: Any) -> Any:
    """Shorten a text, or each of a list of texts."""
    match value:
        case str() if len(value) > LONGEST_NAME:
            return value[: LONGEST_NAME - 1] + "…"
        case list() | tuple():
            return [_cut(each) for each in value]
        case _:
            return value
