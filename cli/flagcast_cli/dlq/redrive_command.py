"""`redrive`, from finding the queue to what became of each letter."""

from collections.abc import Mapping
from pathlib import Path

from rich.progress import Progress

from flagcast.config.archive_destination import with_archive
from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.errors import ConfigurationUnreadable
from flagcast.tasks.routing import Route
from flagcast_cli.confirmation import agreed, require_answer
from flagcast_cli.console import CommandError, err, marked, out
from flagcast_cli.dlq.aftermath import Seen, attempts_seen, watch
from flagcast_cli.dlq.bodies import Contents
from flagcast_cli.dlq.filter import Filter
from flagcast_cli.dlq.held_letters import Held, wait_until_none_is_held
from flagcast_cli.dlq.letters import Letter
from flagcast_cli.dlq.logged import Logged, log_of
from flagcast_cli.dlq.output import counted_letters, show_refusals, show_summary, show_table
from flagcast_cli.dlq.redrive import Redrive
from flagcast_cli.dlq.redrive_plan import Ready, plan
from flagcast_cli.dlq.selection import Elsewhere, choose
from flagcast_cli.dlq.standing_output import show_what_became
from flagcast_cli.ledger.stack_log import Copy
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.deployed_configuration import deployed_configuration
from flagcast_cli.stack.queues import StackQueues, place_of

_OVERLAP = 60.0
"""Seconds of the log that are looked at again each time, for lines that arrive after later ones."""


def redrive(
    stack: str, account: Account, wanted: Filter, config: Path, *, yes: bool, dry_run: bool, wait: bool, log: bool
) -> int:
    """Put the letters that are wanted back on the task queue and say what became of them.

    Returns 1 if one of them stays, or is a dead letter again.
    """
    require_answer(yes=yes or dry_run)
    place = place_of(stack, account)
    with log_of(stack, account, wanted=log) as copy:
        destinations = _destinations(stack, account, config)
        contents, logged = Contents(place.bodies), Logged(copy)
        wait_until_none_is_held(place)
        with Held(place) as held:
            elsewhere = Elsewhere(frozenset(destinations), logged.ledger)
            chosen = choose(held, contents, wanted, place.now(), elsewhere)
            if held.elsewhere:
                raise CommandError(
                    "another flagcast dlq command is collecting dead letters",
                    "Wait until it ends: two at once could not keep them in order.",
                )
            ready, refusals = plan(((each, contents.facts(each)) for each in chosen), destinations)
            held.release([each.letter for each in refusals])
            letters = [each.letter for each in ready]
            show_summary(chosen)
            show_refusals(refusals)
            if dry_run and letters:
                show_table(letters, contents, logged, place.now())
                out.print("Nothing was changed: this was a dry run.")
            if dry_run or not ready:
                return 1 if refusals else 0
            if not agreed(f"Send {counted_letters(letters)} to be delivered again?", yes=yes):
                return 1
            seen = attempts_seen(copy.store, letters) if copy else frozenset()
            run = Redrive(place.tasks, held, contents)
            code = max(_redrive(run, ready), 1 if refusals else 0)
        if copy is not None and wait and run.sent:
            code = max(code, _watch(copy, run.sent, seen, place, stack))
    return code


def _destinations(stack: str, account: Account, config: Path) -> Mapping[str, Route]:
    """Return the deployed destinations and the archive, else those of the checkout, which is said; or CommandError."""
    try:
        return with_archive(deployed_configuration(stack, account).destinations)
    except CommandError as error:
        err.print(marked("Judged by {}, as {}", config, error), style="yellow", soft_wrap=True)
    try:
        return with_archive(read_configuration(config).destinations)
    except ConfigurationUnreadable as error:
        raise CommandError(str(error), "flagcast check lists every problem.") from error


def _watch(copy: Copy, sent: list[Letter], seen: Seen, place: StackQueues, stack: str) -> int:
    try:
        with err.status("Waiting for what becomes of them"):
            found = watch(
                copy.store, sent, seen, lambda: copy.bring_up_to_date(lambda _: None, _OVERLAP), place.now, place.wait
            )
    except CommandError as error:
        err.print(marked("What became of them is not known: {}", error), style="yellow", soft_wrap=True)
        return 0
    show_what_became(found, stack)
    return 1 if any(each.state == "dead-lettered" for each in found) else 0


def _redrive(run: Redrive, ready: list[Ready]) -> int:
    try:
        with Progress(console=err, transient=True) as progress:
            bar = progress.add_task("Redriving", total=len(ready))
            run.run(ready, lambda count: progress.advance(bar, count))
    finally:
        _report(run, ready)
    return 0 if len(run.sent) == len(ready) and not run.undeleted else 1


def _report(run: Redrive, ready: list[Ready]) -> None:
    out.print(marked("[green]✓[/] {} redriven", counted_letters(run.sent)))
    show_refusals(run.refusals)
    if left := len(ready) - len(run.sent) - len(run.refusals):
        out.print(marked("[yellow]{} not tried:[/] run it again for them.", left))
    if run.undeleted:
        out.print(
            marked(
                "[red]{} sent, but still in the dead-letter queue:[/] run it again within five minutes, and SQS takes"
                " them for what they are; later they are delivered twice.",
                len(run.undeleted),
            ),
            soft_wrap=True,
        )
