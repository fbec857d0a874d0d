"""`flagcast events`, `deliveries`, `event`, `changes`, `tail` and `ledger clear`: what can be said and what is done."""

import time
from collections.abc import Callable

from cyclopts import App

from flagcast_cli.console import marked, out, plain
from flagcast_cli.dlq.queue_look import Keys, QueueLook
from flagcast_cli.history import answers, queries
from flagcast_cli.history.event_lookup import one_event
from flagcast_cli.history.options import Json, Limit, Offline, Stack, asked, asked_copy, write
from flagcast_cli.history.output import show_changes, show_deliveries, show_event, show_events, show_rest
from flagcast_cli.history.selection import ALL, Which
from flagcast_cli.history.tail import follow
from flagcast_cli.ledger.file import remove
from flagcast_cli.ledger.shown_copy import with_copy
from flagcast_cli.ledger.stack_log import copies
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.queues import STACK
from flagcast_cli.stack.samconfig import account_of

app = App(name="ledger", help="The copy of the functions' log on this machine, which answers the other commands.")

MOST = 50
EVERY = 2.0
"""Seconds from one look to the next: two calls, of five in a second that an account has in a region."""


def events(
    which: Which = ALL,
    *,
    limit: Limit = MOST,
    json: Json = False,
    offline: Offline = False,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """List events that were accepted, newest last: what happened, and how their deliveries stand."""
    with asked(which, stack, account, offline=offline) as (store, wanted):
        found = queries.events(store, wanted, limit)
    return _listed("events", [answers.event(each) for each in found.rows], found.total, show_events, json=json)


def deliveries(
    which: Which = ALL,
    *,
    limit: Limit = MOST,
    json: Json = False,
    offline: Offline = False,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """List deliveries, each an event for one destination: what came of the last attempt, what waits and until when.

    Times are those of the last attempt, newest last.
    """
    with asked(which, stack, account, offline=offline) as (store, wanted):
        found = queries.deliveries(store, wanted, limit)
    made = [answers.delivery(each) for each in found.rows]
    return _listed("deliveries", made, found.total, show_deliveries, json=json)


def _listed[T](what: str, made: list[T], total: int, show: Callable[[list[T]], None], *, json: bool) -> int:
    if json:
        write({what: made, "total": total})
        return 0
    if made:
        show(made)
    show_rest(len(made), total, what)
    return 0


def event(
    id: str,  # noqa: A002 - what people type
    /,
    *,
    json: Json = False,
    offline: Offline = False,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Print one event with what it changed, and every attempt of each delivery with the answer and what comes next.

    Parameters
    ----------
    id
        The event's id, or the beginning of it that the other commands print.

    """
    with with_copy(stack, account, offline=offline) as copy:
        queue = QueueLook(stack, account)

        def look() -> Keys | None:
            return None if offline else queue.look(queries.dead_letters(copy.store, time.time()))

        found, steps = one_event(copy.store, id, stack, look)
    if json:
        write(found)
    else:
        show_event(found, steps)
    return 0


def changes(
    which: Which = ALL,
    *,
    json: Json = False,
    offline: Offline = False,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Say who changed what, oldest first; without --since in the last 24 hours.

    What Flipt denied is no change, and is not listed.
    """
    day = Which(**{**vars(which), "since": which.since or "24h"})
    with asked(day, stack, account, offline=offline) as (store, wanted):
        found = queries.changes(store, wanted)
    made = [answers.event(each) for each in found.rows]
    if json:
        write({"changes": made})
        return 0
    show_changes(made)
    show_rest(len(made), found.total, "changes")
    return 0


def tail(
    which: Which = ALL,
    *,
    json: Json = False,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Follow live: every event as it is accepted and every attempt as it is made, until Ctrl-C.

    With --since it begins there. CloudWatch shows a line some seconds after it was written.
    """
    with asked_copy(which, stack, account, offline=False) as (copy, wanted):
        follow(copy, wanted, time.sleep, EVERY, as_json=json)
    return 0


@app.command
def clear(*, stack: Stack = STACK, account: Account = ENVIRONMENT) -> int:
    """Delete the copy of a stack's log on this machine. The next command that needs it copies the log again."""
    found = copies(stack, account_of(account, stack).region)
    for each in found:
        remove(each)
        out.print(marked("[green]✓[/] {} deleted", each), soft_wrap=True)
    if not found:
        out.print(f"Nothing was copied of a stack {plain(stack)}.", soft_wrap=True)
    return 0
