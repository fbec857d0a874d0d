"""What `list`, `show` and `drop` do, each from finding the queue to its exit code."""

from contextlib import suppress

from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.checkout import usual_configuration
from flagcast_cli.confirmation import agreed, require_answer
from flagcast_cli.console import CommandError, err, marked, out
from flagcast_cli.dlq.bodies import Contents
from flagcast_cli.dlq.filter import Filter
from flagcast_cli.dlq.held_letters import Held
from flagcast_cli.dlq.letters import Letter
from flagcast_cli.dlq.logged import Logged, log_of, standings
from flagcast_cli.dlq.output import counted_letters, show_json, show_letter, show_summary, show_table
from flagcast_cli.dlq.selection import Elsewhere, choose
from flagcast_cli.dlq.standing_output import show_no_letter
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.queues import place_of


def list_letters(stack: str, account: Account, wanted: Filter, *, as_json: bool, log: bool) -> int:
    """Print the letters that are wanted."""
    place = place_of(stack, account)
    with log_of(stack, account, wanted=log) as copy:
        contents, logged = Contents(place.bodies), Logged(copy)
        with Held(place) as held:
            chosen = choose(held, contents, wanted, place.now(), _elsewhere(logged))
        if as_json:
            show_json(chosen, contents, logged)
        else:
            show_summary(chosen)
            if chosen:
                show_table(chosen, contents, logged, place.now())
    if held.elsewhere:
        err.print(f"{held.elsewhere} more may be held by another command at the moment.")
    return 0


def show_letters(stack: str, account: Account, given: str, *, log: bool) -> int:
    """Print the letters of an event, or the one of a message; returns 1 for an event that has none.

    Raises CommandError where there is no such event.
    """
    place = place_of(stack, account)
    with log_of(stack, account, wanted=log) as copy:
        contents, logged = Contents(place.bodies), Logged(copy)
        with Held(place) as held:
            chosen = choose(held, contents, Filter(event_id=given), place.now(), _elsewhere(logged))
        for each in chosen:
            show_letter(each, contents, logged, place.now(), stack)
        if chosen:
            return 0
        if copy is None:
            raise CommandError(f"there is no dead letter of {given}", "flagcast dlq list shows those there are.")
        show_no_letter(standings(copy.store, given), stack)
    return 1


def drop(stack: str, account: Account, wanted: Filter, *, yes: bool, dry_run: bool) -> int:
    """Delete the letters that are wanted; returns 1 if one of them stays."""
    require_answer(yes=yes or dry_run)
    place = place_of(stack, account)
    contents = Contents(place.bodies)
    with Held(place) as held:
        chosen = choose(held, contents, wanted, place.now(), _elsewhere(Logged(None)))
        show_summary(chosen)
        if dry_run and chosen:
            show_table(chosen, contents, Logged(None), place.now())
            out.print("Nothing was changed: this was a dry run.")
        if dry_run or not chosen:
            return 0
        if not agreed(f"Delete {counted_letters(chosen)} for good?", yes=yes):
            return 1
        left = _dropped(held, chosen)
    out.print(marked("[green]✓[/] {} dropped", len(chosen) - len(left)))
    if left:
        out.print(marked("[red]✗[/] {} not known to be deleted: run it again for them.", len(left)), soft_wrap=True)
    return 1 if left else 0


def _dropped(held: Held, chosen: list[Letter]) -> list[Letter]:
    with err.status("Deleting"):
        return held.delete(chosen)


def _elsewhere(logged: Logged) -> Elsewhere:
    """Return what a command without a configuration knows of: what the checkout has, where it can be read."""
    configured: frozenset[str] = frozenset()
    with suppress(ConfigurationUnreadable):
        configured = frozenset(read_configuration(usual_configuration()).destinations)
    return Elsewhere(configured | logged.destinations(), logged.ledger)
