"""Brings a ledger up to date, and shows how far that is: what the first copy of a large log takes minutes for."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress

from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.console import err
from flagcast_cli.ledger import log_copy
from flagcast_cli.ledger.stack_log import Copy, up_to_date
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.samconfig import account_of


@contextmanager
def with_copy(stack: str, account: Account, *, offline: bool) -> Iterator[Copy]:
    """Bring a stack's ledger up to date, and show on a terminal how far that is; raises CommandError."""
    progress = Progress(console=err, transient=True, disable=not err.is_terminal)
    task = progress.add_task("Copying the log", total=None)

    def watch(each: log_copy.Progress) -> None:
        moment = rfc3339(each.at / 1000)
        reached = f" up to {moment[5:10]} {moment[11:19]} UTC" if each.at else ""
        progress.update(task, description=f"Copying {each.group}{reached}, {each.rows:,} lines")

    progress.start()
    try:
        with up_to_date(stack, account_of(account, stack), watch, offline=offline) as copy:
            progress.stop()
            yield copy
    finally:
        progress.stop()
