"""The letters that a command is about, out of all that are there.

A value of a filter that nothing has is an error: a slip of the pen must not look like an empty queue.
"""

from collections.abc import Sequence
from typing import Final, get_args

from msgspec import Struct

from flagcast.tasks.outcomes import Reason
from flagcast.tasks.task import NO_DESTINATION
from flagcast_cli.console import CommandError, err, marked
from flagcast_cli.dlq.bodies import Contents
from flagcast_cli.dlq.filter import Filter
from flagcast_cli.dlq.held_letters import Held
from flagcast_cli.dlq.letters import QUEUE_NET, Absent, Letter
from flagcast_cli.known_values import there_are
from flagcast_cli.ledger.event_ids import SHORTEST_PREFIX, Asked, bare, ids_of

_REASONS: Final = frozenset({*get_args(Reason), QUEUE_NET})


class Elsewhere(Struct, frozen=True):
    """What is known of beside the dead letters: destinations, and the events of the log, where it could be read."""

    destinations: frozenset[str] = frozenset()
    ledger: Asked | None = None


def choose(held: Held, contents: Contents, wanted: Filter, now: float, elsewhere: Elsewhere) -> list[Letter]:
    """Collect every letter, hold those that the filter matches, in the order of acceptance, and release the others.

    Raises CommandError for a filter's value that is known neither of the letters nor elsewhere.
    """
    collected = held.collect()
    if not held.elsewhere:
        require_known(wanted, collected, elsewhere)
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


def require_known(wanted: Filter, letters: Sequence[Letter], elsewhere: Elsewhere) -> None:
    """Raise CommandError for a value that no dead letter has and nothing else either, with those that there are.

    What is known elsewhere is no slip: it has no dead letters (any more).
    """
    if wanted.event_id is not None:
        _require_event(wanted.event_id, letters, elsewhere.ledger)
    reasons = {each.reason for each in letters}
    if wanted.reason is not None and wanted.reason not in _REASONS | reasons:
        there = reasons or _REASONS
        begins = "The dead letters have" if reasons else "It is one of"
        raise CommandError(f"there is no reason {wanted.reason}", *there_are(wanted.reason, there, begins))
    destinations = {each.destination for each in letters}
    known = destinations | elsewhere.destinations | {NO_DESTINATION}
    if wanted.destination is not None and letters and wanted.destination not in known:
        raise CommandError(
            f"there is no destination {wanted.destination}",
            *there_are(wanted.destination, destinations, "There are dead letters for"),
        )


def _require_event(given: str, letters: Sequence[Letter], ledger: Asked | None) -> None:
    names = {each.name for each in letters if each.is_called(given)}
    if len(names) > 1 and given not in names:
        raise CommandError(f"several events begin with {given}", *sorted(names))
    if names:
        return
    if len(bare(given)) < SHORTEST_PREFIX:
        raise CommandError(
            f"{given} is too short to name an event", f"Give {SHORTEST_PREFIX} characters of its id or more."
        )
    if ledger is not None and not ids_of(ledger, given.partition(":")[0]):
        raise CommandError(
            f"there is no event {given}, neither in the dead-letter queue nor in the log",
            "`flagcast dlq list` and `flagcast events` show those there are.",
        )
