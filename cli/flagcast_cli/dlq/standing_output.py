"""How deliveries stand that are no dead letters, or not any more, as people read it."""

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.console import marked, out, plain
from flagcast_cli.dlq.aftermath import Became
from flagcast_cli.dlq.logged import Standing
from flagcast_cli.stack.queues import STACK

_MOST_NAMES: Final = 3
_MARKS: Final = {"well": "[green]✓[/] {} {}{}", "dead": "[red]✗[/] {} {}{}", "waits": "[yellow]…[/] {} {}{}"}
_ORDER: Final = tuple(_MARKS)


def show_no_letter(found: Mapping[str, Sequence[Standing]], stack: str) -> None:
    """Print how the deliveries of events stand, none of which is in the dead-letter queue."""
    for event_id, deliveries in found.items():
        nowhere = "" if deliveries else " it was accepted for no destination"
        out.print(marked("{} has no dead letter:{}", event_id, nowhere), soft_wrap=True)
        for each in deliveries:
            out.print(marked("  {} {}{}", each.destination, _state(each.state), _next(each.next_attempt_at)))
        out.print(_command("event", event_id, stack), soft_wrap=True)


def show_what_became(found: Sequence[Became], stack: str) -> None:
    """Print what became of letters that were sent again: alike ones counted, with the command that says more."""
    alike: dict[tuple[str, ...], list[Became]] = defaultdict(list)
    for each in found:
        alike[_line_of(each)].append(each)
    for (mark, what, verb), some in sorted(alike.items(), key=lambda each: _ORDER.index(each[0][0])):
        named = list(dict.fromkeys(each.letter.name for each in some))
        more = f" and {len(named) - _MOST_NAMES} more" if len(named) > _MOST_NAMES else ""
        names = f": {', '.join(named[:_MOST_NAMES])}{more}" if verb else ""
        out.print(marked(_MARKS[mark], len(some), what, names), soft_wrap=True)
        if verb:
            out.print(f"    {_command(verb, named[0], stack)}", soft_wrap=True)


def _line_of(each: Became) -> tuple[str, str, str]:
    match each.state:
        case "delivered":
            return "well", "delivered", ""
        case "filtered":
            return "well", "filtered: the destination does not want it any more", ""
        case "dead-lettered":
            return "dead", " ".join(["dead again:", *_said(each)]), "dlq show"
        case "queued":
            return "waits", "still waiting: no attempt yet", "event"
        case _:
            return "waits", " ".join([f"still waiting, {each.state}:", *_said(each)]).rstrip(":"), "event"


def _said(each: Became) -> list[str]:
    answer = f"“{each.answer}”" if each.answer else ""
    return [part for part in (each.reason, "" if each.status is None else str(each.status), answer) if part]


def _state(state: str) -> str:
    return "was dead-lettered, and is not in the queue any more" if state == "dead-lettered" else state


def _next(moment: int | None) -> str:
    return f", next at {rfc3339(moment / 1000)}" if moment is not None else ""


def _command(verb: str, name: str, stack: str) -> str:
    return plain(shlex.join(["flagcast", *verb.split(), name, *(() if stack == STACK else ("--stack", stack))]))
