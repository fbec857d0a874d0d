"""What an event changed, field by field, as people read it."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from flagcast.events.change_context import Change
from flagcast.events.event import Event
from flagcast.primitives.line_of_text import line, shorten
from flagcast.summaries.before_and_after import before, now
from flagcast.summaries.field_labels import Aspect, aspects_of
from flagcast.summaries.reordering import moves_of
from flagcast.summaries.thing_names import one_of
from flagcast.summaries.value_text import ARROW, NOTHING, listed, name, said, size

LONGEST_LINE: Final = 300
MOST_LINES: Final = 10
_LONGEST_SIDE: Final = 120
_WIDE: Final = 60
"""Characters of JSON that are still read at a glance."""


class Difference(Struct, frozen=True):
    """One label whose value changed; a side is empty where there was or is nothing.

    Sides that are too long to be shown are their sizes (`is_size`). `is_known` is False where Flipt may have had a
    value before that it did not send: then nothing may have changed. `keys` are the members of JSON that differ.
    """

    label: str
    before: str
    after: str
    is_known: bool
    is_size: bool
    keys: tuple[str, ...]

    @property
    def sides(self) -> str:
        """Return both sides; one where they look the same."""
        if self.before == self.after:
            return f"{self.after} {'as before' if self.is_size else '(changed)'}"
        return f"{self.before or NOTHING}{ARROW}{self.after or NOTHING}"


def differences(event: Event) -> list[Difference]:
    """Return what an update changed, the most important first; nothing for an order, or what is new, gone or denied."""
    if event.action != "updated" or event.is_order or event.is_denied:
        return []
    left = {change.field: change for change in event.changes}
    found = [made for aspect in aspects_of(event) if (made := _of_aspect(event, aspect, left))]
    return found + [
        _difference(change.field or "?", said(change.before), said(change.after), change) for change in left.values()
    ]


def lines(event: Event, made: Sequence[Difference]) -> tuple[str, ...]:
    """Return a line for each change, such as "Enabled: no → yes"; at most ten."""
    said = [*_moved(event), *map(_line, made)]
    if len(said) > MOST_LINES:
        said[MOST_LINES - 1 :] = [f"and {len(said) - MOST_LINES + 1} more changes"]
    return tuple(shorten(line(each), LONGEST_LINE) for each in said)


def _moved(event: Event) -> Iterator[str]:
    for move in moves_of(event):
        if move.before == move.after:
            continue
        called = one_of(event, move.id)
        yield f"{called[:1].upper()}{called[1:]}: position {move.before}{ARROW}{move.after}"


def _of_aspect(event: Event, aspect: Aspect, left: dict[str, Change]) -> Difference | None:
    """Say what changed of one aspect, and take its fields from those that are left."""
    changes = [left.pop(field) for field in aspect.fields if field in left]
    if not changes:
        return None
    names = event.known.names
    old, new = aspect.write(before(event), names), aspect.write(now(event), names)
    # A rollout to a share that becomes one to a segment keeps its value, in another field.
    return None if old == new and len(changes) > 1 else _difference(aspect.label, old, new, changes[0])


def _difference(label: str, old: str, new: str, change: Change) -> Difference:
    is_wide = bool(change.keys) and max(len(old), len(new)) > _WIDE
    is_size = is_wide or change.bytes_before is not None or change.bytes_after is not None
    if is_size:
        old, new = _size(change.bytes_before, change.before), _size(change.bytes_after, change.after)
    keys = tuple(name(key) or "?" for key in change.keys)
    return Difference(name(label), _side(old), _side(new), change.is_before_known, is_size, keys)


def _side(text: str) -> str:
    return shorten(line(text), _LONGEST_SIDE)


def _size(length: int | None, value: object) -> str:
    """Write how long a text is; nothing where there is none."""
    if length is None:
        return size(len(text.encode(errors="replace"))) if (text := said(value)) else ""
    return size(length)


def _line(made: Difference) -> str:
    if not made.is_known:
        before = f"{made.before} when last seen" if made.before else "not known before"
        return f"{made.label}: {made.after or NOTHING} ({before})"
    keys = f", changed keys: {listed(list(made.keys))}" if made.is_size and made.keys else ""
    return f"{made.label}: {made.sides}{keys}"
