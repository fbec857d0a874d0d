"""What a replay would send, what speaks against it, and what came of it, as people and machines read it."""

import shlex
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.console import counted, marked, out, plain
from flagcast_cli.replay.kept_event import NAMES, KeptIn, NotReplayable
from flagcast_cli.replay.later_events import Had, by_kind
from flagcast_cli.replay.selection import Chosen
from flagcast_cli.replay.target import Target
from flagcast_cli.stack.queues import STACK

_MOST_SHOWN: Final = 10


class Report(Struct, kw_only=True):
    """What `flagcast replay --json` answers; docs/replay.md lists the fields, which stay as they are.

    `replay` is null where nothing was sent.
    """

    replay: str | None = None
    destination: str
    events: int
    first_accepted_at: str | None = None
    last_accepted_at: str | None = None
    by_kind: dict[str, int] = {}
    rejected: dict[str, int] = {}
    unusable: list[NotReplayable] = []
    delivered_before: int = 0
    later: list[dict[str, Any]] = []
    later_of_unknown_subject: int = 0
    log_begins_at: str | None = None
    sent: int = 0
    missing: list[NotReplayable] = []


def report_of(target: Target, chosen: Chosen, had: Had | None) -> Report:
    """Make the answer of what was found, before anything is sent."""
    events = chosen.events
    return Report(
        destination=target.name,
        events=len(events),
        first_accepted_at=rfc3339(events[0].at / 1000) if events else None,
        last_accepted_at=rfc3339(events[-1].at / 1000) if events else None,
        by_kind=dict(by_kind(events)),
        rejected={str(why): number for why, number in chosen.rejected.items()},
        unusable=list(chosen.unusable),
        delivered_before=len(had.before) if had else 0,
        later=[{"first_replayed": each.what, "later_events": each.count} for each in had.later] if had else [],
        later_of_unknown_subject=had.unknown if had else 0,
        log_begins_at=rfc3339(had.begins / 1000) if had and had.begins is not None else None,
    )


def show_plan(report: Report, target: Target, rate: float) -> None:
    """Print what would be sent, and what is left out."""
    name = target.name
    out.print(marked("[bold]{} for {}[/]{}", counted(report.events, "event"), name, _accepted(report)), soft_wrap=True)
    if report.by_kind:
        table = Table(header_style="bold", box=None, pad_edge=False)
        table.add_column("event", overflow="fold")
        table.add_column("count", justify="right")
        for kind, number in report.by_kind.items():
            table.add_row(Text(plain(kind)), str(number))
        out.print(table)
    for why, number in report.rejected.items():
        _note(f"{number} left out: {why} reject{'' if why == 'its events' else 's'} them")
    _show_unusable(report.unusable, "left out")
    if report.delivered_before:
        _note(f"{name} has {report.delivered_before} of them already, or they wait for it: it gets those twice")
    if target.destination.paused:
        _note(f"{name} is paused: they wait on the queue until it is not, at most 13 days")
    if report.rejected and not report.events:
        _note(f"Nothing is left to send: {name} rejects every one of them")
    if report.events:
        _note(f"At {rate:g} a second this takes {_duration(report.events / rate)}", "dim")


def show_later(report: Report, had: Had) -> None:
    """Print which subjects the destination had later events of."""
    if not had.is_stale:
        return
    out.print(
        marked(
            "[yellow]{} had later events already, or will have before these:[/] what is replayed comes after them.",
            report.destination,
        ),
        soft_wrap=True,
    )
    for each in had.later[:_MOST_SHOWN]:
        out.print(marked("  {} later than “{}”", counted(each.count, "event"), each.what), soft_wrap=True)
    if (more := len(had.later) - _MOST_SHOWN) > 0:
        out.print(f"  and of {more} more subjects", soft_wrap=True)
    if had.unknown:
        out.print(f"  {counted(had.unknown, 'event')} of which the log does not say the subject", soft_wrap=True)


def show_result(report: Report, stack: str) -> None:
    """Print what was sent, what was not there any more, and the command that shows what becomes of it."""
    out.print(
        marked("[green]✓[/] {} sent to {} as {}", counted(report.sent, "event"), report.destination, report.replay)
    )
    _show_unusable(report.missing, "not sent")
    if report.sent:
        words = ["flagcast", "deliveries", "--destination", report.destination, "--since", "1h", *of(stack)]
        out.print(f"    {plain(shlex.join(words))}", soft_wrap=True)


def write(report: Report) -> None:
    """Print the answer as JSON."""
    out.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")


def of(stack: str) -> tuple[str, ...]:
    """Return the option that names a stack in a command, where it must be named."""
    return () if stack == STACK else ("--stack", stack)


def nothing_found(kept_in: KeptIn) -> str:
    """Say that there is nothing to send."""
    more = " It has what was accepted while ArchiveDays was not 0." if kept_in == "archive" else ""
    return f"There are no such events in {NAMES[kept_in]}.{more}"


def _show_unusable(found: Sequence[NotReplayable], what: str) -> None:
    for each in found[:_MOST_SHOWN]:
        out.print(marked("[yellow]{}:[/] {}: {}", what, each.ref, each.why), soft_wrap=True)
    if len(found) > _MOST_SHOWN:
        out.print(f"and {len(found) - _MOST_SHOWN} more {what}", soft_wrap=True)


def _note(text: str, style: str = "yellow") -> None:
    out.print(text, style=style, soft_wrap=True)


def _accepted(report: Report) -> str:
    if report.first_accepted_at is None or report.last_accepted_at is None:
        return ""
    return f", accepted from {report.first_accepted_at[:19]}Z to {report.last_accepted_at[:19]}Z"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
