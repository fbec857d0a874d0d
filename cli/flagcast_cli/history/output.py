"""Answers as people read them: tables on a terminal, lines of tab-separated values in a pipe."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from flagcast_cli.console import err, marked, out, plain
from flagcast_cli.history.answers import Delivery, DeliveryWithAttempts, Event, OneEvent
from flagcast_cli.history.wording import (
    ALERTS,
    came_of,
    change,
    colour,
    follows,
    second,
    short_id,
    short_time,
    standing,
    waits,
)

_LABEL: Final = 12
"""Characters in front of a value."""


def show_events(events: Sequence[Event]) -> None:
    """Print a row for each event."""
    if not out.is_terminal:
        _lines(
            ("accepted_at", "event_id", "type", "action", "namespace", "title", "deliveries"),
            ((e.accepted_at, e.event_id, e.type, e.action, e.namespace, e.what, standing(e)) for e in events),
        )
        return
    table = _table("accepted (UTC)", "event", "id", "deliveries")
    for each in events:
        dead = any(one.state in ALERTS for one in each.deliveries)
        what = _with_namespace(each.what, each.namespace)
        table.add_row(
            short_time(each.accepted_at), what, short_id(each.event_id), Text(standing(each), "red" if dead else "")
        )
    out.print(table)


def show_deliveries(deliveries: Sequence[Delivery]) -> None:
    """Print a row for each delivery, with what came of its last attempt and what follows."""
    if not out.is_terminal:
        _lines(
            ("at", "event_id", "destination", "state", "attempt", "title", "answer", "next"),
            (
                (d.attempted_at or d.accepted_at, d.event_id, d.destination, d.state, d.attempt, d.what, came_of(d),
                 follows(d))
                for d in deliveries
            ),
        )  # fmt: skip
        return
    table = _table("last (UTC)", "delivery", "event", "id")
    for each in deliveries:
        what = _with_namespace(each.what, each.namespace)
        for more in (came_of(each) if each.state != "delivered" or each.replay else "", *waits(each, short_time)):
            if more:
                what.append(f"\n{plain(more)}", "dim")
        delivery = Text(plain(each.destination)).append(f"\n{each.state}", colour(each.state))
        table.add_row(short_time(each.attempted_at or each.accepted_at), delivery, what, short_id(each.event_id))
    out.print(table)


def show_changes(events: Sequence[Event]) -> None:
    """Print who changed what, a line for each event and one for each field: as it is pasted into a report."""
    for each in events:
        namespace = f" in {each.namespace}" if each.namespace else ""
        out.print(
            marked("{} {}{} [dim]({})[/]", second(each.accepted_at), each.what, namespace, short_id(each.event_id)),
            soft_wrap=True,
        )
        for one in each.changes or ():
            out.print(f"    {plain(change(one))}", soft_wrap=True)
        if each.more_changes:
            out.print(f"    and {each.more_changes} more", soft_wrap=True)


def show_event(found: OneEvent, steps: Sequence[str]) -> None:
    """Print an event, what it changed, and all that happened to each of its deliveries."""
    _value("event id", found.event_id)
    if found.event is None:
        out.print("Its own line is older than what was copied of the log.", soft_wrap=True)
    else:
        _show_facts(found.event)
    for each in found.deliveries:
        out.print()
        _show_time_line(each)
    if steps:
        out.print()
    for step in steps:
        out.print(plain(step), soft_wrap=True)


def show_rest(shown: int, total: int, what: str) -> None:
    """Say that there are more than were shown."""
    if total > shown:
        err.print(f"The newest {shown} of {total:,} {what}. --limit 0 shows all of them.", soft_wrap=True)
    elif not total:
        err.print(f"There are no such {what}.", soft_wrap=True)


def _show_facts(event: Event) -> None:
    out.print(plain(event.what), style="bold", soft_wrap=True)
    _value("accepted", f"{event.accepted_at} from {event.source}")
    _value("type", f"{event.type} {event.action}{', denied by Flipt: nothing changed' if event.denied else ''}")
    keys = ("namespace", "flag", "segment", "resource", "actor")
    for name in keys:
        _value(name, getattr(event, name))
    if event.changes is None and not event.denied and event.action == "updated":
        _value("changes", "unknown: Flagcast did not know what was there before, or LogNames is off")
    for at, one in enumerate(event.changes or ()):
        _value("" if at else "changes", change(one))
    if event.more_changes:
        _value("", f"and {event.more_changes} more")


def _show_time_line(delivery: DeliveryWithAttempts) -> None:
    out.print(
        marked("[bold]{}[/] ", delivery.destination), Text(delivery.state, colour(delivery.state)), soft_wrap=True
    )
    if delivery.is_in_queue is False:
        out.print("  not in the dead-letter queue any more: dropped, expired, or sent again", soft_wrap=True)
    before = 0
    for each in delivery.attempts:
        number = f"attempt {each.attempt}" if each.attempt > before else each.state
        before = max(before, each.attempt)
        took = f" in {each.duration_ms} ms" if each.status is not None or each.why == "Unreachable" else ""
        line = f"  {each.at[5:10]} {each.at[11:23]}  {number:<12} {each.state if number != each.state else ''}"
        out.print(f"{line.rstrip()}{took}{_after(came_of(each))}", soft_wrap=True)
    if delivery.attempts and (next_one := follows(delivery.attempts[-1])):
        out.print(f"  {plain(next_one)}", soft_wrap=True)


def _after(text: str) -> str:
    return f": {plain(text)}" if text else ""


def _value(label: str, value: str | None) -> None:
    if value:
        out.print(marked("[cyan]{}[/] {}", f"{label:<{_LABEL}}", value), soft_wrap=True)


def _with_namespace(what: str, namespace: str | None) -> Text:
    text = Text(plain(what))
    if namespace:
        text.append(f" in {plain(namespace)}", "dim")
    return text


def _table(*headings: str) -> Table:
    """Make a table in which only sentences are broken, and only between words."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    for heading in headings:
        is_text = heading in ("event", "deliveries")
        table.add_column(heading, overflow="ellipsis", no_wrap=not is_text, ratio=None if not is_text else 1)
    return table


def _lines(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    out.write("\t".join(headings) + "\n")
    for row in rows:
        out.write("\t".join(plain("" if cell is None else str(cell)) for cell in row) + "\n")
