"""Finds one event by the beginning of its id, with its deliveries and what to do about them."""

import shlex
from collections.abc import Callable
from itertools import groupby
from typing import Final

from flagcast_cli.console import CommandError
from flagcast_cli.dlq.queue_look import Keys
from flagcast_cli.history import answers, queries
from flagcast_cli.history.answers import DeliveryWithAttempts, OneEvent
from flagcast_cli.ledger.event_ids import SHORTEST_PREFIX, Asked, bare, ids_of
from flagcast_cli.ledger.rows import State
from flagcast_cli.stack.queues import STACK

Look = Callable[[], Keys | None]
DEAD: Final[State] = "dead-lettered"


def one_event(ledger: Asked, given: str, stack: str, look: Look = lambda: None) -> tuple[OneEvent, list[str]]:
    """Return an event, and the commands that follow from how it stands; raises CommandError where it is not one.

    `look` returns what is in the dead-letter queue, and is asked only where a delivery was dead-lettered.
    """
    event_id = _id_of(ledger, given)
    row = queries.event(ledger, event_id)
    rows = queries.attempts_of(ledger, event_id)
    by_destination = {
        name: [answers.attempt(each) for each in some] for name, some in groupby(rows, lambda each: each["destination"])
    }
    standing = queries.deliveries_of(ledger, event_id)
    there = look() if any(each["state"] == DEAD for each in standing) else None
    deliveries = [
        DeliveryWithAttempts(
            each["destination"],
            each["state"],
            by_destination.get(each["destination"], []),
            None if there is None or each["state"] != DEAD else (event_id, each["destination"]) in there,
        )
        for each in standing
    ]
    found = OneEvent(event_id, answers.event(row) if row else None, deliveries)
    return found, _steps(found, stack)


def _id_of(ledger: Asked, given: str) -> str:
    prefix = given.partition(":")[0]
    if len(bare(prefix)) < SHORTEST_PREFIX:
        raise CommandError(
            f"{given} is too short to name an event", f"Give {SHORTEST_PREFIX} characters of its id or more."
        )
    found = ids_of(ledger, prefix)
    match found:
        case [one]:
            return one
        case []:
            raise CommandError(
                f"the log has no event {given}",
                "`flagcast events` lists those there are; older ones are gone with the log (LogRetentionDays).",
            )
        case _ if prefix in found:
            return prefix
        case _:
            raise CommandError(f"several events begin with {given}", *found)


def _steps(found: OneEvent, stack: str) -> list[str]:
    of = () if stack == STACK else ("--stack", stack)
    dead = [each.destination for each in found.deliveries if each.state == DEAD and each.is_in_queue is not False]
    waits = {each.attempts[-1].waits_for for each in found.deliveries if each.attempts}
    return [
        *([shlex.join(["flagcast", "dlq", "show", found.event_id, *of])] if dead else []),
        *(
            shlex.join(["flagcast", "dlq", "redrive", "--event-id", found.event_id, "--destination", each, *of])
            for each in dead
        ),
        *([shlex.join(["flagcast", "check", "--stack", stack])] if "configuration" in waits else []),
    ]
