"""A notice in the words that people read."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from msgspec import structs

from flagcast.events.event import Event
from flagcast.primitives.line_of_text import line, shorten
from flagcast.summaries.event_summary import Summary, as_replayed, summarise
from flagcast.summaries.facts import LONGEST_FACT
from flagcast.summaries.value_text import LONGEST_NAME

_REASONS = {
    "circuit_open": "it did not answer, or answered 5xx, three times in a row",
    "resting": "it asked for a long pause",
    "faulty": "its configuration has a problem",
    "rejected": "it rejected an event",
    "gone": "it answered 410 Gone",
    "expired": "an event was retried for as long as allowed",
    "exhausted": "an event was received 900 times and never delivered",
    "crashed": "an event ended the function three times",
    "render_failed": "a template failed for an event",
    "filter_failed": "its when failed for an event",
    "blocked_address": "its address is not allowed",
}


def summarise_notice(event: Event) -> Summary:
    """Say in words what a notice says (notices/notice.py); whatever is missing is left out."""
    plain = summarise(event)
    payload = event.payload if isinstance(event.payload, dict) else {}
    said = {key: str(value) for key, value in payload.items() if value not in (None, "")}
    destination = shorten(line(said.get("destination", "-")), LONGEST_NAME)
    is_over = event.action == "recovered"
    why = _REASONS.get(said.get("reason", ""), "the reason is not known")
    state = "has recovered" if is_over else f"is in trouble: {why}"
    kept = dict(plain.facts)
    facts = [*_facts(said, why, is_over=is_over), *((label, kept.get(label, "")) for label in ("Replayed", "Time"))]
    return structs.replace(
        plain,
        title=as_replayed(event, f"Destination {destination} {state}"),
        what=f"destination {destination}",
        where="",
        kind="recovered" if is_over else "trouble",
        facts=tuple((label, text) for label, value in facts if (text := shorten(line(value), LONGEST_FACT))),
        path=f"destinations/{quote(destination, safe='')}",
        url=None,
        app="Flagcast",
    )


def _facts(said: Mapping[str, str], why: str, *, is_over: bool) -> Iterator[tuple[str, str]]:
    since = said.get("since", "").replace("T", " ").replace("Z", " UTC")
    if is_over:
        yield "Failed since", since
        yield "Reason", why
    else:
        yield "Failing since", since
        yield "Reason", said.get("reason", "")
        status = f"HTTP {said['status']}" if "status" in said else ""
        yield "Last answer", ": ".join(part for part in (status, said.get("excerpt", "")) if part)
    yield "Waiting", f"{said['waiting']} deliveries waiting, over all destinations" if "waiting" in said else ""
    yield "Next command", said.get("command", "")
