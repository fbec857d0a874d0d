"""The letters that a command is about, out of all that are there."""

from flagcast_cli.console import err, marked
from flagcast_cli.dlq.bodies import Contents
from flagcast_cli.dlq.filter import Filter
from flagcast_cli.dlq.held_letters import Held
from flagcast_cli.dlq.letters import Absent, Letter


def choose(held: Held, contents: Contents, wanted: Filter, now: float) -> list[Letter]:
    """Collect every letter, keep in hand those that are wanted, in the order of acceptance, let go of the others."""
    collected = held.collect()
    chosen = [each for each in collected if wanted.matches(each, now)]
    if wanted.event is not None:
        known = [(each, contents.facts(each)) for each in chosen]
        chosen = [each for each, facts in known if wanted.wants(facts)]
        _say_what_is_not_known([facts for _, facts in known if isinstance(facts, Absent)])
    kept = {each.id for each in chosen}
    held.release([each for each in collected if each.id not in kept])
    return sorted(chosen, key=lambda each: each.order)


def _say_what_is_not_known(absent: list[Absent]) -> None:
    if absent:
        err.print(marked("[yellow]{} left out:[/] the type of their event cannot be read", len(absent)), soft_wrap=True)
