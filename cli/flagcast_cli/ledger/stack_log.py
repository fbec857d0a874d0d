"""Where a stack's log and the copy of it are."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct
from platformdirs import user_cache_path

from flagcast_cli.console import CommandError
from flagcast_cli.ledger.file import Damaged, opened
from flagcast_cli.ledger.log_copy import OVERLAP, Clock, Log, Progress, copy
from flagcast_cli.ledger.store import Store
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.deployed import existing

_OUTPUTS: Final = ("IngestLogGroupName", "DeliverLogGroupName")
_DAYS: Final = 30
"""LogRetentionDays where the stack does not say it."""
_ARN: Final = re.compile(r"arn:[^:]+:cloudformation:([^:]+):([^:]+):stack/.+")

Watch = Callable[[Progress], None]


class Copy(Struct, frozen=True):
    """An open ledger, and where it comes from; None where AWS is not asked."""

    store: Store
    log: Log | None

    def bring_up_to_date(self, watch: Watch, overlap: float = OVERLAP) -> None:
        """Copy what is new in the log; raises CommandError."""
        if self.log is not None:
            for each in copy(self.log, self.store, overlap):
                watch(each)


@contextmanager
def up_to_date(stack: str, account: Account, watch: Watch, *, offline: bool) -> Iterator[Copy]:
    """Open a stack's ledger and copy what is new; offline it is opened as it is. Raises CommandError."""
    if offline:
        with opened(copied(stack, account.region)) as store:
            yield Copy(store, None)
        return
    path, log = log_of(stack, account)
    try:
        with opened(path) as store:
            Copy(store, log).bring_up_to_date(watch)
    except Damaged:
        with opened(path) as store:
            Copy(store, log).bring_up_to_date(watch)
    with opened(path) as store:
        yield Copy(store, log)


def log_of(stack: str, account: Account) -> tuple[Path, Log]:
    """Find a stack's log groups by its outputs, and the file that they are copied to; raises CommandError."""
    client = account.clients()
    there = existing(client("cloudformation"), account, stack, *_OUTPUTS)
    named = _ARN.fullmatch(there.arn)
    region, owner = (named[1], named[2]) if named else ("unknown", "unknown")
    days = int(there.parameters.get("LogRetentionDays") or _DAYS)
    groups = tuple(there.outputs[each] for each in _OUTPUTS)
    clock = Clock(time.time, time.sleep)
    return folder() / f"{owner}_{region}_{stack}.sqlite", Log(client("logs"), account, groups, there.arn, days, clock)


def copied(stack: str, region: str | None) -> Path:
    """Return the one copy that there is of a stack's log; raises CommandError where there is none, or several."""
    found = copies(stack, region)
    match found:
        case [one]:
            return one
        case []:
            where = f" in {region}" if region else ""
            raise CommandError(
                f"nothing has been copied yet from a stack {stack}{where}", "Run the command without --offline."
            )
        case _:
            names = ", ".join(each.stem for each in found)
            raise CommandError(f"there are copies of several stacks {stack}: {names}", "Choose one with --region.")


def copies(stack: str, region: str | None) -> list[Path]:
    """Return the files of a stack's copies: one for each account and region, and no name has an underscore."""
    return sorted(folder().glob(f"*_{region or '*'}_{stack}.sqlite"))


def folder() -> Path:
    """Return where the copies are: XDG_CACHE_HOME, else what is usual on this system."""
    return user_cache_path("flagcast") / "ledger"
