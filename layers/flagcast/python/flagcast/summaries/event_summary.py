"""An event in the words that people read: who did what to which thing, where, and what is worth knowing about it."""

from urllib.parse import quote

from msgspec import Struct

from flagcast.events.event import Event
from flagcast.primitives.timestamp import moment_of, written
from flagcast.summaries.action_phrases import title
from flagcast.summaries.change_lines import differences, lines
from flagcast.summaries.facts import facts
from flagcast.summaries.thing_names import what
from flagcast.summaries.value_text import name

LONGEST_URL = 2_000
"""What every vendor takes as an address: Discord's limit, the smallest, is 2,048."""

_KINDS = frozenset({"created", "updated", "deleted"})


class Summary(Struct, frozen=True):
    """What there is to say about an event: plain text of one line each, never markup, never empty where there is one.

    `title` is a sentence, `what` the thing in it, `where` environment and namespace, either of which may be missing.
    `app` is whose word it is. `kind` is created, updated, deleted, denied or other, and for a notice of Flagcast's own
    trouble or recovered. `changes` are lines that say what an update replaced, none where that is unknown. `facts` are
    labels and values. `path` names the thing for machines. `url` shows it in Flipt; it is None where nothing does, or
    where an address would be too long to be taken. `time` is RFC 3339 in UTC and `epoch_ms` the same in milliseconds:
    Flipt's time, else ours, else None.
    """

    title: str
    what: str
    where: str
    kind: str
    changes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    path: str
    url: str | None
    time: str | None
    epoch_ms: int | None
    app: str = "Flipt"


def summarise(event: Event) -> Summary:
    """Say in words what an event says; whatever is missing or of the wrong type is left out."""
    at = moment_of(event.timestamp) or moment_of(event.received_at)
    made = differences(event)
    return Summary(
        title=as_replayed(event, title(event, made)),
        what=what(event),
        where=_where(event),
        kind="denied" if event.is_denied else event.action if event.action in _KINDS else "other",
        changes=lines(event, made),
        facts=tuple(facts(event, at, {each.label for each in made})),
        path=_path(event),
        url=event.url if event.url and len(event.url) <= LONGEST_URL else None,
        time=written(at, "T", "Z") if at else None,
        epoch_ms=round(at.timestamp() * 1000) if at else None,
    )


def as_replayed(event: Event, said: str) -> str:
    """Begin a title with what distinguishes a replay from news."""
    return f"Replayed: {said}" if event.is_replay else said


def _where(event: Event) -> str:
    """Say which environment and which namespace: one may be called like the other."""
    namespace = None if event.type == "namespace" else event.namespace
    named = (("environment", event.environment), ("namespace", namespace))
    return ", ".join(f"{kind} {name(each)}" for kind, each in named if each and name(each))


def _path(event: Event) -> str:
    """Name the thing by the path that the keys in the event give, else by its type alone."""
    owners = {"flags": event.flag_key, "segments": event.segment_key}
    parts = [part for kind, key in owners.items() if key for part in (kind, key)]
    if event.type not in ("flag", "segment") and (event.resource_key or parts):
        parts += [f"{event.type}s", *([event.resource_key] if event.resource_key else [])]
    if parts and event.namespace is not None and event.type != "namespace":
        parts = ["namespaces", event.namespace, *parts]
    return "/".join(quote(name(part), safe="") or "-" for part in parts or [event.type])
