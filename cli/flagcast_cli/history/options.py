"""The options that the commands of the ledger share, and what each does with them first."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.progress import Progress

from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.console import err, out
from flagcast_cli.history.filter import Filter, require_known
from flagcast_cli.history.selection import Which
from flagcast_cli.history.wording import short_time
from flagcast_cli.ledger import log_copy
from flagcast_cli.ledger.stack_log import Copy, up_to_date
from flagcast_cli.ledger.store import Store
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.samconfig import account_of

Stack = Annotated[str, Parameter(help="The stack's name.")]
Json = Annotated[bool, Parameter(help="As JSON.", negative="")]
Offline = Annotated[bool, Parameter(help="Answer from what was copied before, without asking AWS.", negative="")]
Limit = Annotated[int, Parameter(help="How many at most, the newest; 0 shows all.")]


@contextmanager
def with_copy(stack: str, account: Account, *, offline: bool) -> Iterator[Copy]:
    """Bring a stack's ledger up to date, and show on a terminal how far that is."""
    progress = Progress(console=err, transient=True, disable=not err.is_terminal)
    task = progress.add_task("Copying the log", total=None)

    def watch(each: log_copy.Progress) -> None:
        reached = f" up to {short_time(rfc3339(each.at / 1000))} UTC" if each.at else ""
        progress.update(task, description=f"Copying {each.group}{reached}, {each.rows:,} lines")

    progress.start()
    try:
        with up_to_date(stack, account_of(account, stack), watch, offline=offline) as copy:
            progress.stop()
            yield copy
    finally:
        progress.stop()


@contextmanager
def asked_copy(which: Which, stack: str, account: Account, *, offline: bool) -> Iterator[tuple[Copy, Filter]]:
    """Open a ledger that is up to date, and read what is asked for; raises CommandError."""
    # Read first: what was typed wrong should not wait for AWS.
    wanted = which.filter(time.time())
    with with_copy(stack, account, offline=offline) as copy:
        require_known(copy.store, wanted)
        yield copy, wanted


@contextmanager
def asked(which: Which, stack: str, account: Account, *, offline: bool) -> Iterator[tuple[Store, Filter]]:
    """Do the same where the log is not looked at again."""
    with asked_copy(which, stack, account, offline=offline) as (copy, wanted):
        yield copy.store, wanted


def write(answer: Any) -> None:
    """Print an answer as JSON."""
    out.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")
