"""`flagcast status`: how each destination and source stands, and whether a person must act."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from flagcast_cli.checkout import CONFIGURATION, Config
from flagcast_cli.console import marked, out, plain
from flagcast_cli.dlq.queue_look import QueueLook
from flagcast_cli.doctor import command as doctoring
from flagcast_cli.doctor.finding import Finding, as_object, exit_code
from flagcast_cli.history.destination_state import Destination, Source, Waiting, destinations, sources
from flagcast_cli.history.options import Json, Offline, Stack, write
from flagcast_cli.history.queries import dead_letters
from flagcast_cli.history.wording import came_of, colour, short_time
from flagcast_cli.ledger.shown_copy import with_copy
from flagcast_cli.ledger.stack_log import Copy
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.queues import STACK

ADDRESS: Final = "The stack's public address if it is not the API's own, such as https://flagcast.example.com."
EVERY: Final = 5.0
"""Seconds from one drawing to the next."""
EXAMINED_EVERY: Final = 60.0
"""Seconds for which the stack is taken to be as it was found: that takes a dozen calls."""

_MARKS: Final = {"ill": "[red]✗[/] {}: {}", "unknown": "[yellow]?[/] {}: {}"}


def status(
    *,
    watch: Annotated[bool, Parameter(help="Draw it again every five seconds, until Ctrl-C.", negative="")] = False,
    json: Json = False,
    offline: Offline = False,
    url: Annotated[str | None, Parameter(env_var="FLAGCAST_URL", show_env_var=True, help=ADDRESS)] = None,
    config: Config = CONFIGURATION,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Say whether a person must act, and how each destination and source stands.

    The first line is what `flagcast doctor` finds, without its probe. Exits 1 if something is wrong, 2 if something
    could not be checked. With --offline the stack is not checked.
    """
    with with_copy(stack, account, offline=offline) as copy:
        findings, at = _examined(account, stack, config, url, offline=offline), time.time()
        queue = None if offline else QueueLook(stack, account)
        _show(copy, findings, queue, json=json)
        while watch and not offline:
            time.sleep(EVERY)  # between two drawings
            copy.bring_up_to_date(lambda _: None)
            if time.time() - at >= EXAMINED_EVERY:
                findings, at = _examined(account, stack, config, url, offline=offline), time.time()
            out.clear()
            _show(copy, findings, queue, json=json)
    return exit_code(findings)


def _examined(account: Account, stack: str, config: Path, url: str | None, *, offline: bool) -> tuple[Finding, ...]:
    return () if offline else doctoring.examine(account, stack, config, url)


def _show(copy: Copy, findings: Sequence[Finding], queue: QueueLook | None, *, json: bool) -> None:
    now = time.time()
    logged = dead_letters(copy.store, now)
    there = queue.look(logged) if queue else None
    found, senders = destinations(copy.store, now, logged if there is None else there), sources(copy.store, now)
    wrong = tuple(each for each in findings if each.level in ("ill", "unknown"))
    if json:
        answer: dict[str, Any] = {
            "findings": as_object(wrong),
            "destinations": found,
            "sources": senders,
            "dead_letters_counted_in": "log" if there is None else "queue",
        }
        write(answer)
        return
    _show_findings(wrong, is_examined=copy.log is not None)
    out.print()
    out.print(_of_destinations(found))
    out.print()
    out.print(_of_sources(senders))


def _show_findings(wrong: Sequence[Finding], *, is_examined: bool) -> None:
    ill = sum(each.level == "ill" for each in wrong)
    if not is_examined:
        out.print("As it was copied: AWS was not asked.", soft_wrap=True)
    elif ill:
        out.print(f"{ill} {'problem needs' if ill == 1 else 'problems need'} a person", style="bold red")
    elif wrong:
        out.print("Not everything could be checked", style="yellow")
    else:
        out.print("No problem found", style="green")
    for each in wrong:
        out.print(marked(_MARKS[each.level], each.check, each.found), soft_wrap=True)
        for step in each.next[:1]:
            out.print(f"    {plain(step)}", soft_wrap=True)


def _of_destinations(found: Sequence[Destination]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("destination", no_wrap=True, overflow="ellipsis")
    for heading in ("hour", "day", "p50 ms", "p95 ms", "dead"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("waits, last failure", overflow="ellipsis", ratio=1)
    for each in found:
        said = Text("\n").join([*map(_waits, each.waiting), *_failed(each)])
        dead = Text(str(each.dead_lettered), "red" if each.dead_lettered else "")
        numbers = (each.delivered_last_hour, each.delivered_last_day, each.p50_ms, each.p95_ms)
        shown = ["" if number is None else str(number) for number in numbers]
        table.add_row(plain(each.destination), *shown, dead, said)
    return table


def _waits(each: Waiting) -> Text:
    text = Text(f"{each.count} {each.state}", colour(each.state))
    if each.next_attempt_at:
        text.append(f", next {short_time(each.next_attempt_at)}", "")
    if each.gives_up_at:
        text.append(f", until {short_time(each.gives_up_at)}", "")
    return text.append(f", oldest {short_time(each.oldest_accepted_at)}", "")


def _failed(each: Destination) -> list[Text]:
    failure = each.last_failure
    if failure is None or failure.attempted_at is None:
        return []
    return [Text(f"{short_time(failure.attempted_at)} {plain(came_of(failure))}", "dim")]


def _of_sources(found: Sequence[Source]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("source", no_wrap=True, overflow="ellipsis")
    for heading in ("hour", "day"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("rejected in a day", overflow="ellipsis", ratio=1)
    for each in found:
        rejected = ", ".join(f"{number} {reason}" for reason, number in sorted(each.rejected_last_day.items()))
        numbers = (str(each.accepted_last_hour), str(each.accepted_last_day))
        table.add_row(plain(each.source), *numbers, Text(plain(rejected), "red" if rejected else ""))
    return table
