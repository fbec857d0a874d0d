"""Events, deliveries and attempts in words: pure."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from flagcast_cli.history.answers import Attempt, Change, Delivery, Event

LONGEST_ID: Final = 12
"""Characters of an event's id that are shown in a table: enough to name it, and every command takes them."""
ALERTS: Final = frozenset({"dead-lettered"})
GOOD: Final = frozenset({"delivered", "filtered"})
_WAITS: Final = {
    "rate_limit": "waits for its turn (rate_limit)",
    "retry_after": "the destination asked to be left alone",
    "pause": "the destination is paused",
    "circuit": "the circuit is open",
    "configuration": "the destination's configuration is faulty or missing",
    "version": "a newer version of Flagcast queued it",
    "dependency": "a secret or the stored body could not be read",
    "dead_letter": "the dead-letter queue did not take it",
}


def colour(state: str) -> str:
    """Return a state's colour."""
    return "red" if state in ALERTS else "green" if state in GOOD else "yellow"


def short_id(event_id: str) -> str:
    """Return as much of an id as names it."""
    return event_id[:LONGEST_ID]


def short_time(moment: str) -> str:
    """Write RFC 3339 without its year and milliseconds: 11-27 14:30:05."""
    return f"{moment[5:10]} {moment[11:19]}"


def second(moment: str) -> str:
    """Write RFC 3339 without its milliseconds."""
    return f"{moment[:19]}Z"


def standing(event: Event) -> str:
    """Say how an event's deliveries stand: 2 delivered, 1 retrying."""
    counts = Counter(each.state for each in event.deliveries)
    return ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "no destination"


def change(one: Change) -> str:
    """Say what one field was and is: enabled: false → true."""
    before = _value(one.before) if one.is_before_known else "unknown"
    return f"{one.field}: {before} → {_value(one.after)}"


def _value(value: bool | float | str | None) -> str:
    match value:
        case None | "":
            return "nothing"
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def came_of(one: Attempt | Delivery) -> str:
    """Say what came of an attempt, and by which replay it was made, if by one."""
    said = []
    if one.replay is not None:
        said.append(f"replay {one.replay}")
    if one.reason is not None:
        said.append(one.reason)
    if one.status is not None:
        said.append(str(one.status))
    elif one.why == "Unreachable":
        said.append(f"no answer ({one.cause})")
    elif one.state == "filtered":
        said.append("not wanted: nothing was sent")
    if one.answer:
        said.append(f"“{one.answer}”")
    elif one.detail:
        said.append(one.detail)
    return " ".join(said)


def waits(one: Attempt | Delivery, write: Callable[[str], str]) -> list[str]:
    """Say why a delivery waits if its state does not, when it is looked at next, and when it is given up.

    Nothing where it is over.
    """
    if one.next_attempt_at is None:
        return []
    reason = [_WAITS[one.waits_for]] if one.waits_for in _WAITS else []
    until = [f"given up at {write(one.gives_up_at)}"] if one.gives_up_at else []
    return [*reason, f"next at {write(one.next_attempt_at)}", *until]


def follows(one: Attempt | Delivery) -> str:
    """Say so in one line."""
    return ", ".join(waits(one, second))
