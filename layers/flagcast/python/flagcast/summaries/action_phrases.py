"""What was done, as a sentence goes on behind who did it."""

from collections.abc import Sequence

from flagcast.events.event import Event
from flagcast.summaries import thing_names
from flagcast.summaries.before_and_after import now
from flagcast.summaries.change_lines import Difference, differences
from flagcast.summaries.reordering import moves_of
from flagcast.summaries.value_text import LONGEST_QUOTE, listed, mapping, name, percent, quoted

_MOST_OTHERS = 3
_MOST_KEYS = 3
_NOT_ALL_SHOWN = frozenset({"flag", "constraint"})
"""What Flipt's events leave something out of: a flag's metadata, a constraint's description.

Flipt's internal/server/audit/types.go, and Flag and Constraint in its rpc/flipt/flipt.proto.
"""

_SWITCHED = {"yes": "on", "no": "off"}


def title(event: Event, made: Sequence[Difference] | None = None) -> str:
    """Say in one sentence who did what to which thing; `made` is what it changed, where that is at hand already."""
    return f"{_who(event)} {deed(event, differences(event) if made is None else made)}"


def _who(event: Event) -> str:
    """Begin the sentence; a way to sign in is not a name."""
    if event.actor == mapping(event.metadata.get("actor")).get("authentication"):
        return f"Someone (by {name(event.actor)})"
    return name(event.actor) if event.actor != "someone" else "Someone"


def deed(event: Event, made: Sequence[Difference]) -> str:
    """Say what was done to which thing: by what changed where that is known, else by the event's own verb."""
    what = thing_names.what(event)
    if event.is_known and not event.is_denied:
        if event.action == "updated":
            return _updated(event, made) or f"updated {what}"
        if event.type == "distribution":
            return f"{name(event.action)} {what}{_shared(event)}"
    return f"{name(event.verb_phrase)} {what}"


def _updated(event: Event, made: Sequence[Difference]) -> str:
    """Say what an update did; nothing where what it changed is not known to be a change."""
    if not event.changes:
        shown = " that its event shows" if event.type in _NOT_ALL_SHOWN else ""
        return f"saved {'the order of ' if event.is_order else ''}{thing_names.what(event)} without a change{shown}"
    if event.is_order:
        return _reordered(event)
    known = [each for each in made if each.is_known]
    if not known:
        return ""
    # What is there now says more than what is gone.
    first, *others = sorted(known, key=lambda each: not each.after)
    return f"{_clause(event, first)}{_others([each.label.lower() for each in others])}"


def _others(labels: list[str]) -> str:
    """Name what else changed."""
    if not labels:
        return ""
    if len(labels) > _MOST_OTHERS:
        labels = [*labels[: _MOST_OTHERS - 1], f"{len(labels) - _MOST_OTHERS + 1} more fields"]
    return f" and changed the {listed(labels)}"


def _reordered(event: Event) -> str:
    moves = moves_of(event)
    if len(moves) != 1:
        return f"reordered {thing_names.what(event)}"
    [move] = moves
    article = "the " if event.known.names.get(move.id) else ""
    owner = f" {owner}" if (owner := thing_names.owner(event)) else ""
    return f"moved {article}{thing_names.one_of(event, move.id)}{owner} from position {move.before} to {move.after}"


def _clause(event: Event, made: Difference) -> str:
    """Say one change in a sentence of its own kind."""
    what, plain = thing_names.what(event), thing_names.plain(event)
    old, new = name(made.before, LONGEST_QUOTE), name(made.after, LONGEST_QUOTE)
    match event.type, made.label:
        case "flag", "Enabled" if new in _SWITCHED:
            return f"turned {_SWITCHED[new]} {what}"
        case "namespace", "Protected" if new in _SWITCHED:
            return f"{'protected' if new == 'yes' else 'unprotected'} {what}"
        case _, "Name" if new:
            return f"renamed {what} to {quoted(made.after)}"
        case _, "Description" if new:
            return f"reworded the description of {plain}" if old else f"added a description to {plain}"
        case "variant", "Attachment" if new:
            return f"changed the attachment of {what}{_inside(made)}"
        case "segment", "Matches" if new:
            return f"changed {what} to match {new}{_from(old)}"
        case "rule" | "rollout", "Segments" if new:
            return f"changed {plain}: now targets {new}{f' (before: {old})' if old else ''}"
        case "rollout", "Share" if new and mapping(now(event).get("threshold")).get("value") is True:
            return f"rolled out {thing_names.owner(event).removeprefix('of ')} to {new}{_from(old)}"
        case "distribution", "Share":
            return f"changed {thing_names.share(event)}: {made.sides}"
        case ("rollout", "Share") | ("constraint", "Constraint"):
            return f"changed {plain}: {made.sides}"
        case _ if new:
            return f"changed the {made.label.lower()} of {plain} to {new}{_from(old)}"
        case _:
            return f"removed the {made.label.lower()} of {plain}"


def _from(old: str) -> str:
    return f" (from {old})" if old else ""


def _inside(made: Difference) -> str:
    """Say how long an attachment is and was where it is not shown, and which of its members changed."""
    keys = [*made.keys[:_MOST_KEYS], *(["more"] if len(made.keys) > _MOST_KEYS else [])]
    return f"{f' ({made.sides})' if made.is_size else ''}{f': {listed(keys)}' if keys else ''}"


def _shared(event: Event) -> str:
    """Say which share a distribution has, or had."""
    share = percent(now(event).get("rollout"))
    if not share:
        return ""
    return f" (was {name(share)})" if event.action == "deleted" else f": {name(share)}"
