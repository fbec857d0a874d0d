"""What people call the thing of an event."""

from flagcast.events.event import Event
from flagcast.flipt_state.thing_keys import label
from flagcast.summaries.before_and_after import now
from flagcast.summaries.value_text import mapping, name, percent, said, segments


def what(event: Event) -> str:
    """Return the thing with all that names it: variant blue of flag new-checkout, a rule of flag x for beta-users."""
    return " ".join(part for part in (_head(event), owner(event), _tail(event)) if part)


def plain(event: Event) -> str:
    """Return the thing without what a change of it says anyway: a rule of flag x."""
    return " ".join(part for part in (_head(event), owner(event)) if part)


def share(event: Event) -> str:
    """Return what a distribution gives a share to: variant blue of flag new-checkout for beta-users."""
    return what(event).removeprefix("the distribution of ")


def owner(event: Event) -> str:
    """Say which flag or segment a thing belongs to; empty where it is one itself, or that is unknown."""
    if event.type in ("flag", "segment"):
        return ""
    for kind, key in (("flag", event.flag_key), ("segment", event.segment_key)):
        if key:
            return f"of {kind} {name(key)}"
    return ""


def one_of(event: Event, identity: str) -> str:
    """Return one of a flag's rules or rollouts: by what it is for, else by its id."""
    called = event.known.names.get(identity)
    if not called:
        return f"{name(event.type)} {name(identity)}"
    # No segment's key has a blank in it.
    return f"{name(event.type)} {'to' if called.endswith(' %') else 'for'} {name(called)}"


def _head(event: Event) -> str:
    kind = name(event.type) or "thing"
    if event.is_order:
        return f"{kind}s"
    if event.type == "distribution" and (variant := event.known.names.get(_text(event, "variant_id"))):
        return f"the distribution of variant {name(variant)}"
    key = _key(event)
    return f"{kind} {key}" if key else f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def _key(event: Event) -> str:
    """Return what people call the thing: an id means nothing to them."""
    if event.type in ("variant", "constraint"):
        return name(label(event.type, now(event)) or "")
    key = event.resource_key
    return name(key) if key and key != _text(event, "id") else ""


def _tail(event: Event) -> str:
    state = now(event)
    match event.type:
        case "rule":
            targets = segments(state.get("segment_key"), state.get("segment_operator"))
        case "rollout":
            threshold, segment = mapping(state.get("threshold")), mapping(state.get("segment"))
            if to := percent(threshold.get("percentage")):
                return f"to {name(to)}"
            targets = segments(segment.get("key"), segment.get("operator"))
        case "distribution":
            targets = event.known.names.get(_text(event, "rule_id"), "")
        case _:
            return ""
    return f"for {name(targets)}" if name(targets) else ""


def _text(event: Event, field: str) -> str:
    return said(mapping(event.payload).get(field))
