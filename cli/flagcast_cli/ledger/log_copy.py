"""Copies log groups into the ledger, page by page."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from flagcast.primitives.duration import DAY, HOUR
from flagcast_cli.console import CommandError
from flagcast_cli.ledger.log_events import Lines
from flagcast_cli.ledger.log_line import log_event
from flagcast_cli.ledger.store import Store
from flagcast_cli.stack.account import Account, error_code

OVERLAP: Final = HOUR
"""Seconds that are copied again: CloudWatch is asked by an event's own time, and one may arrive later than others."""
PACE: Final = 0.25
"""Seconds from call to call: an account has five of FilterLogEvents a second in a region, and is not alone with them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
TRIES: Final = 7
_THROTTLED: Final = frozenset({"ThrottlingException", "LimitExceededException", "RequestLimitExceeded"})
_STACK: Final = "stack"


class Clock(Struct, frozen=True):
    """The time, in epoch seconds, and what lets so many seconds pass."""

    now: Callable[[], float]
    wait: Callable[[float], None]


class Log(Struct, frozen=True):
    """A stack's log groups, its ARN, which differs once the stack is made again, and the days that they are kept."""

    client: Any
    account: Account
    groups: tuple[str, ...]
    stack: str
    days: int
    clock: Clock


class Progress(Struct, frozen=True):
    """How far a copy is: the group, its newest line (epoch milliseconds), and the rows so far."""

    group: str
    at: int
    rows: int


def copy(log: Log, store: Store, overlap: float = OVERLAP) -> Iterator[Progress]:
    """Copy what is new, and yield after each page; raises CommandError. What was copied before that stays.

    The log of a stack is deleted with it, so a ledger of another stack of this name is emptied first.
    """
    if store.fact(_STACK) not in (None, log.stack):
        store.clear()
    begins = log.clock.now() - log.days * DAY
    store.forget_before(round(begins * 1000))
    store.add([], [(_STACK, log.stack)])
    for group in log.groups:
        newest = store.fact(group)
        since = round(max(begins, int(newest) / 1000 - overlap if newest else 0) * 1000)
        yield from _copy_group(log, store, group, since)
    store.add([], [("copied_at", str(round(log.clock.now() * 1000)))])


def _copy_group(log: Log, store: Store, group: str, since: int) -> Iterator[Progress]:
    """Copy the lines of a group from a time on (epoch milliseconds).

    Pages come oldest first, so a copy that is stopped goes on where it was. A page may be empty though more follow:
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    lines, newest, count = Lines(), int(store.fact(group) or 0), 0
    token: str | None = None
    while True:
        page = _page(log, group, since, token)
        found = [log_event(each) for each in page.get("events", [])]
        rows = [row for each in found for row in lines.read(each)]
        newest, count = max([newest, *(each.at for each in found)]), count + len(rows)
        store.add(rows, [(group, str(newest))] if newest else [])
        yield Progress(group, newest, count)
        token = page.get("nextToken")
        if token is None:
            return
        log.clock.wait(PACE)


def _page(log: Log, group: str, since: int, token: str | None) -> Mapping[str, Any]:
    """Ask for one page; waits while CloudWatch says that it is asked too often, which botocore gives up on sooner."""
    arguments = {"logGroupName": group, "startTime": since, **({"nextToken": token} if token else {})}
    with log.account.asking(f"could not read the log group {group}"):
        for number in range(TRIES):
            try:
                page: Mapping[str, Any] = log.client.filter_log_events(**arguments)
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    raise CommandError(
                        f"there is no log group {group}",
                        "Someone deleted it, with everything in it. `make deploy` creates it again",
                        "if the template or a parameter has changed. `--offline` answers from what was copied.",
                    ) from error
                if error_code(error) not in _THROTTLED:
                    raise
                log.clock.wait(2.0**number)
            else:
                return page
    raise CommandError(
        "this account calls CloudWatch too often (FilterLogEvents: five calls a second in a region)",
        "Run the command again: it continues where it stopped. `--offline` answers from what was copied.",
    )
