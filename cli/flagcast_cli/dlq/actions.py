"""What the commands do, each from finding the queue to its exit code."""

from pathlib import Path

from rich.progress import Progress

from flagcast.config.model import Configuration
from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.confirmation import agreed, require_answer
from flagcast_cli.console import CommandError, err, marked, out
from flagcast_cli.dlq.bodies import Contents
from flagcast_cli.dlq.filter import Filter
from flagcast_cli.dlq.held_letters import Held, wait_until_nobody_holds_any
from flagcast_cli.dlq.letters import Letter
from flagcast_cli.dlq.output import counted, show_json, show_letter, show_refusals, show_summary, show_table
from flagcast_cli.dlq.redrive import Redrive
from flagcast_cli.dlq.redrive_plan import Ready, plan
from flagcast_cli.dlq.selection import choose
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.queues import StackQueues, place_of


def list_letters(stack: str, account: Account, wanted: Filter, *, as_json: bool) -> int:
    """Print the letters that are wanted."""
    place = place_of(stack, account)
    contents = Contents(place.bodies)
    with Held(place) as held:
        chosen = choose(held, contents, wanted, place.now())
    if as_json:
        show_json(chosen, contents)
    else:
        show_summary(chosen)
        if chosen:
            show_table(chosen, contents, place.now())
    if held.elsewhere:
        err.print(f"{held.elsewhere} more may be in the hands of somebody else for the moment.")
    return 0


def show_letters(stack: str, account: Account, given: str) -> int:
    """Print the letters of an event, or the one of a message; raises CommandError if there is none."""
    place = place_of(stack, account)
    contents = Contents(place.bodies)
    with Held(place) as held:
        chosen = choose(held, contents, Filter(event_id=given), place.now())
    if not chosen:
        raise CommandError(f"there is no dead letter of {given}", "flagcast dlq list shows those there are.")
    for each in chosen:
        show_letter(each, contents, place.now(), stack)
    return 0


def redrive(stack: str, account: Account, wanted: Filter, config: Path, *, yes: bool, dry_run: bool) -> int:
    """Put the letters that are wanted back on the task queue; returns 1 if one of them stays."""
    require_answer(yes=yes or dry_run)
    configuration = _configuration(config)
    place = place_of(stack, account)
    contents = Contents(place.bodies)
    wait_until_nobody_holds_any(place)
    with Held(place) as held:
        chosen = choose(held, contents, wanted, place.now())
        if held.elsewhere:
            raise CommandError(
                "somebody else is collecting dead letters too",
                "Let one of you begin: in two hands they could not be kept in order.",
            )
        ready, refusals = plan(((each, contents.facts(each)) for each in chosen), configuration.destinations)
        held.release([each.letter for each in refusals])
        letters = [each.letter for each in ready]
        show_summary(letters)
        show_refusals(refusals)
        if dry_run and letters:
            show_table(letters, contents, place.now())
            out.print("Nothing was changed: this was a dry run.")
        if dry_run or not ready:
            return 1 if refusals else 0
        if not agreed(f"Send {counted(letters)} to be delivered again?", yes=yes):
            return 1
        return max(_redrive(place, held, contents, ready), 1 if refusals else 0)


def _redrive(place: StackQueues, held: Held, contents: Contents, ready: list[Ready]) -> int:
    run = Redrive(place.tasks, held, contents)
    try:
        with Progress(console=err, transient=True) as progress:
            bar = progress.add_task("Redriving", total=len(ready))
            run.run(ready, lambda count: progress.advance(bar, count))
    finally:
        _report(run, ready)
    return 0 if len(run.sent) == len(ready) and not run.undeleted else 1


def _report(run: Redrive, ready: list[Ready]) -> None:
    out.print(marked("[green]✓[/] {} redriven", counted(run.sent)))
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


def drop(stack: str, account: Account, wanted: Filter, *, yes: bool, dry_run: bool) -> int:
    """Delete the letters that are wanted; returns 1 if one of them stays."""
    require_answer(yes=yes or dry_run)
    place = place_of(stack, account)
    contents = Contents(place.bodies)
    with Held(place) as held:
        chosen = choose(held, contents, wanted, place.now())
        show_summary(chosen)
        if dry_run and chosen:
            show_table(chosen, contents, place.now())
            out.print("Nothing was changed: this was a dry run.")
        if dry_run or not chosen:
            return 0
        if not agreed(f"Delete {counted(chosen)} for good?", yes=yes):
            return 1
        left = _dropped(held, chosen)
    out.print(marked("[green]✓[/] {} dropped", len(chosen) - len(left)))
    if left:
        out.print(marked("[red]✗[/] {} not known to be deleted: run it again for them.", len(left)), soft_wrap=True)
    return 1 if left else 0


def _dropped(held: Held, chosen: list[Letter]) -> list[Letter]:
    with err.status("Deleting"):
        return held.delete(chosen)


def _configuration(path: Path) -> Configuration:
    try:
        return read_configuration(path)
    except ConfigurationUnreadable as error:
        raise CommandError(str(error), "flagcast check lists everything that is wrong.") from error
