"""The options that the commands of the ledger share, and what each does with them first."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from flagcast_cli.console import out
from flagcast_cli.history.filter import Filter, require_known
from flagcast_cli.history.selection import Which
from flagcast_cli.ledger.shown_copy import with_copy
from flagcast_cli.ledger.stack_log import Copy
from flagcast_cli.ledger.store import Store
from flagcast_cli.stack.account import Account

Stack = Annotated[str, Parameter(help="The stack's name.")]
Json = Annotated[bool, Parameter(help="As JSON.", negative="")]
Offline = Annotated[bool, Parameter(help="Answer from what was copied before, without asking AWS.", negative="")]
Limit = Annotated[int, Parameter(help="How many at most, the newest; 0 shows all.")]


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
