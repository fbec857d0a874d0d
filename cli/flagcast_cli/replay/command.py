"""`flagcast replay`: what can be said."""

import secrets
import time
from typing import Annotated

from cyclopts import Parameter

from flagcast.events.replay import Replay
from flagcast.primitives.rate import Rate
from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.console import CommandError
from flagcast_cli.history.options import Json, Stack
from flagcast_cli.history.selection import About, Which
from flagcast_cli.replay.run import Options, resume, start
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.queues import STACK
from flagcast_cli.stack.samconfig import account_of

_ALL = About()


def replay(
    destination: str | None = None,
    /,
    about: About = _ALL,
    *,
    event: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    from_dlq: Annotated[bool, Parameter(negative="")] = False,
    allow_stale: Annotated[bool, Parameter(negative="")] = False,
    rate: str | None = None,
    resume_: Annotated[str | None, Parameter(name="--resume")] = None,
    dry_run: Annotated[bool, Parameter(help="Say what would be sent, and send nothing.", negative="")] = False,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative="")] = False,
    json: Json = False,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Send accepted events once more, to one destination, in the order in which they were accepted.

    They come from the archive (the stack's parameter ArchiveDays), go through the queue with its retries and dead
    letters, and say that they are a replay. It counts them and asks first. It may be stopped at any time, and goes on
    with --resume. Exits 1 if not all of them were sent.

    Parameters
    ----------
    destination
        Its name in the deployed configuration.
    event
        This event, by its id or the beginning of it; repeat it for more.
    from_dlq
        Take the events from the dead-letter queue, whichever destination they are dead for. The letters stay there.
    allow_stale
        Send even if the destination had later events of a subject already, which then come before earlier ones.
    rate
        How many to send, such as 10/s or 30/m. Without it half of the destination's rate_limit, at most 10/s.
    resume_
        Go on with this replay, which was stopped. No other option but --rate then says what is sent.

    """
    options = Options(rate=_rate(rate), allow_stale=allow_stale, yes=yes, dry_run=dry_run, json=json)
    if json and not (yes or dry_run):
        raise CommandError("--json cannot ask", "Add --dry-run or --yes.")
    where = account_of(account, stack)
    if resume_ is not None:
        if destination is not None or about != _ALL or event or from_dlq:
            raise CommandError("--resume sends what the replay has left", "Give only its id, with --rate if you like.")
        return resume(stack, where, resume_, options)
    if destination is None:
        raise CommandError("no destination is given", "flagcast replay DESTINATION --since 30d, for example.")
    now = time.time()
    wanted = Which(**vars(about)).filter(now)
    if about == _ALL and not event and not from_dlq:
        raise CommandError(
            "which events is not said", "--since 30d sends those of the last 30 days; --event names one."
        )
    return start(
        stack,
        where,
        destination,
        "dead-letters" if from_dlq else "archive",
        wanted,
        event,
        Replay(f"rpl_{secrets.token_hex(8)}", rfc3339(now)),
        options,
    )


def _rate(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(Rate.parse(text))
    except ValueError as error:
        raise CommandError(f"--rate: {error}") from error
