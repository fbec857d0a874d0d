"""An event in the words that people read: who did what to which thing, where, and what is worth knowing about it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from flagcast.core.event import Event
from flagcast.core.templates.markup import line, shorten

LONGEST_NAME = 100
LONGEST_FACT = 300
LONGEST_URL = 2_000
"""What every vendor takes as an address: Discord's limit, the smallest, is 2,048."""

_KINDS = frozenset({"created", "updated", "deleted"})
_ORDERED = {"rule": "rule_ids", "rollout": "rollout_ids"}
_TOKEN = "io.flipt.auth.token."  # noqa: S105 - a key of Flipt's, not a secret
_MEANINGS = {
    "ALL_MATCH_TYPE": "every constraint",
    "ANY_MATCH_TYPE": "any constraint",
    "STRING_COMPARISON_TYPE": "string",
    "NUMBER_COMPARISON_TYPE": "number",
    "BOOLEAN_COMPARISON_TYPE": "boolean",
    "DATETIME_COMPARISON_TYPE": "date and time",
    "ENTITY_ID_COMPARISON_TYPE": "entity",
    "UNKNOWN_COMPARISON_TYPE": "",
}
"""Flipt's enumerations, from its rpc/flipt/flipt.proto."""

_FIELDS = {
    "flag": (("Enabled", "enabled"), ("Name", "name"), ("Default variant", "default_variant")),
    "variant": (("Name", "name"), ("Attachment", "attachment")),
    "segment": (("Name", "name"), ("Matches", "match_type")),
    "constraint": (("Type", "type"),),
    "rule": (("Rank", "rank"),),
    "rollout": (("Rank", "rank"),),
    "distribution": (("Variant", "variant_id"), ("Rule", "rule_id")),
    "namespace": (("Name", "name"), ("Protected", "protected")),
    "token": (("Description", f"{_TOKEN}description"), ("Namespace", f"{_TOKEN}namespace")),
}


class Summary(Struct, frozen=True):
    """What there is to say about an event: plain text of one line each, never markup, never empty where there is one.

    `title` is a sentence, `what` the thing in it, `where` environment and namespace, either of which may be missing.
    `app` is whose word it is. `kind` is created, updated, deleted, denied or other, and for a notice of Flagcast's own
    trouble or recovered. `facts` are labels and values. `path` names the thing for
    machines. `url` shows it in Flipt; it is None where an address would be too long to be taken.
    `time` is RFC 3339 in UTC and `epoch_ms` the same in milliseconds: Flipt's time, else ours, else None.
    """

    title: str
    what: str
    where: str
    kind: str
    facts: tuple[tuple[str, str], ...]
    path: str
    url: str | None
    time: str | None
    epoch_ms: int | None
    app: str = "Flipt"


def summarise(event: Event) -> Summary:
    """Say in words what an event says; whatever is missing or of the wrong type is left out."""
    what = _what(event)
    moment = _moment(event.timestamp) or _moment(event.received_at)
    return Summary(
        title=f"{_who(event)} {_name(event.verb_phrase)} {what}",
        what=what,
        where=_where(event),
        kind="denied" if event.is_denied else event.action if event.action in _KINDS else "other",
        facts=tuple(_facts(event, moment)),
        path=_path(event),
        url=event.url if event.url and len(event.url) <= LONGEST_URL else None,
        time=_clock(moment, "T", "Z") if moment else None,
        epoch_ms=round(moment.timestamp() * 1000) if moment else None,
    )


def _who(event: Event) -> str:
    """Begin the sentence; how somebody signed in is not who they are."""
    if event.actor == _mapping(event.metadata.get("actor")).get("authentication"):
        return f"Someone (by {_name(event.actor)})"
    return _name(event.actor) if event.actor != "someone" else "Someone"


def _what(event: Event) -> str:
    kind = _name(event.type) or "thing"
    owner = event.flag_key or event.segment_key
    key = _key(event)
    if event.type in ("flag", "segment") or not owner:
        return f"{kind} {key}" if key else _one(kind)
    belongs = f"of {'flag' if event.flag_key else 'segment'} {_name(owner)}"
    if event.is_order:
        return f"{kind}s {belongs}"
    return f"{kind} {key} {belongs}" if key else f"{_one(kind)} {belongs}"


def _key(event: Event) -> str:
    """Return what people call the thing: an id tells them nothing."""
    payload = _mapping(event.payload)
    if event.type == "constraint":
        return _name(_said(payload.get("property")))
    key = event.resource_key
    return _name(key) if key and key != payload.get("id") else ""


def _one(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def _where(event: Event) -> str:
    namespace = None if event.type == "namespace" else event.namespace
    return " / ".join(_name(each) for each in (event.environment, namespace) if each and _name(each))


def _facts(event: Event, moment: datetime | None) -> Iterator[tuple[str, str]]:
    for label, value in _candidates(event, moment):
        if text := shorten(line(value), LONGEST_FACT):
            yield label, text


def _candidates(event: Event, moment: datetime | None) -> Iterator[tuple[str, str]]:
    if event.is_denied:
        yield "Denied", "not allowed by Flipt's authorization; nothing has changed"
    payload = _mapping(event.payload)
    yield from _special(event.type, payload)
    for label, field in _FIELDS.get(event.type, ()):
        value = _said(payload.get(field))
        if value != event.resource_key:
            yield label, _MEANINGS.get(value, value)
    if event.is_order:
        ids = payload.get(_ORDERED.get(event.type, ""))
        yield "Order", ", ".join(_said(each) for each in ids) if isinstance(ids, list) else ""
    yield "Description", _said(payload.get("description"))
    actor = _mapping(event.metadata.get("actor"))
    email = _said(actor.get("email"))
    yield "E-mail", email if email != event.actor else ""
    yield "IP", _said(actor.get("ip"))
    yield "Time", _clock(moment, " ", " UTC") if moment else ""


def _special(kind: str, payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what several fields say together, or one in its own way."""
    match kind:
        case "constraint":
            yield "Constraint", " ".join(_said(payload.get(field)) for field in ("property", "operator", "value"))
        case "rule":
            yield _segments(payload.get("segment_key"), payload.get("segment_operator"))
        case "distribution":
            yield "Share", _percent(payload.get("rollout"))
        case "rollout":
            threshold, segment = _mapping(payload.get("threshold")), _mapping(payload.get("segment"))
            yield "Share", _percent(threshold.get("percentage"))
            yield _segments(segment.get("key"), segment.get("operator"))
            yield "Value", _said((threshold or segment).get("value"))
        case _:
            pass


def _segments(keys: object, operator: object) -> tuple[str, str]:
    """Say which segments: Flipt writes several as one text with commas (v1.58.2 and later)."""
    named = [key for key in _said(keys).split(",") if key]
    glue = {"AND_SEGMENT_OPERATOR": " and ", "OR_SEGMENT_OPERATOR": " or "}.get(_said(operator), ", ")
    return ("Segment" if len(named) == 1 else "Segments"), glue.join(named)


def _percent(value: object) -> str:
    return f"{text} %" if (text := _said(value)) else ""


def _path(event: Event) -> str:
    """Name the thing by the path that the keys in the event give, else by its type alone."""
    owners = {"flags": event.flag_key, "segments": event.segment_key}
    parts = [part for kind, key in owners.items() if key for part in (kind, key)]
    if event.type not in ("flag", "segment") and (event.resource_key or parts):
        parts += [f"{event.type}s", *([event.resource_key] if event.resource_key else [])]
    if parts and event.namespace is not None and event.type != "namespace":
        parts = ["namespaces", event.namespace, *parts]
    return "/".join(quote(_name(part), safe="") or "-" for part in parts or [event.type])


def _moment(timestamp: str) -> datetime | None:
    """Read RFC 3339; None where there is no time that can be told in UTC."""
    try:
        moment = datetime.fromisoformat(timestamp)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _clock(moment: datetime, separator: str, zone: str) -> str:
    # Not strftime, which writes the year 999 with three digits.
    return moment.replace(tzinfo=None).isoformat(separator, "seconds") + zone


def _name(text: str) -> str:
    return shorten(line(text), LONGEST_NAME)


def _said(value: object) -> str:
    """Write one value as people do; what holds other values, or nothing, says nothing."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            return ""


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
