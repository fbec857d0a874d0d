"""What moved, where a flag's rules or rollouts were put into another order."""

from collections.abc import Sequence

from msgspec import Struct

from flagcast.events.event import Event
from flagcast.flipt_state.thing_keys import ORDERS
from flagcast.summaries.value_text import mapping


class Move(Struct, frozen=True):
    """One rule or rollout that moved; positions are counted from 1."""

    id: str
    before: int
    after: int


def moves_of(event: Event) -> list[Move]:
    """Return what moved, in the new order: as few as explain it. Empty where the order before is unknown.

    One of them may be where it was, if all around it moved.
    """
    before, after = ids_in(event, event.previous), ids_in(event, event.payload)
    if not event.is_order or len(set(before)) != len(before) or sorted(before) != sorted(after):
        return []
    was = {each: at for at, each in enumerate(before)}
    stayed = _longest_rising([was[each] for each in after])
    return [Move(each, was[each] + 1, at) for at, each in enumerate(after, 1) if was[each] not in stayed]


def ids_in(event: Event, payload: object) -> list[str]:
    """Return the ids that an order lists."""
    listed = mapping(payload).get(ORDERS.get(event.type, ""))
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """Return a longest subsequence that rises, of several the one in which the most are at their own place.

    Of two that changed places, the one that went down stays.
    """
    best: list[tuple[int, int]] = []
    behind: list[int | None] = []
    for at, number in enumerate(numbers):
        last = max(
            (each for each in range(at) if numbers[each] < number), key=lambda each: (best[each], each), default=None
        )
        length, kept = (0, 0) if last is None else best[last]
        best.append((length + 1, kept + (number == at)))
        behind.append(last)
    found: set[int] = set()
    last = max(range(len(numbers)), key=lambda each: (best[each], each), default=None)
    while last is not None:
        found.add(numbers[last])
        last = behind[last]
    return found
