"""`flagcast archive`: what can be said, and what is done for it."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.progress import Progress

from flagcast.primitives.duration import DAY
from flagcast_cli.archive.bucket import OUTPUT, Bucket
from flagcast_cli.archive.findings import Period, Seen, Verification
from flagcast_cli.archive.ledger_comparison import Compared, compare
from flagcast_cli.archive.output import as_json, show, show_each
from flagcast_cli.archive.signing_secrets import given_secrets, signing_secrets
from flagcast_cli.checkout import CONFIGURATION, Config
from flagcast_cli.console import CommandError, err, marked, out
from flagcast_cli.history.options import Json, Stack
from flagcast_cli.history.selection import typed_moment
from flagcast_cli.known_values import there_are
from flagcast_cli.ledger.shown_copy import with_copy
from flagcast_cli.ledger.store import Store
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.deployed import existing
from flagcast_cli.stack.queues import STACK
from flagcast_cli.stack.samconfig import account_of

app = App(name="archive", help="The archive: every accepted event, with what proves it.")


@app.command
def verify(
    *,
    source: Annotated[str | None, Parameter(help="Only the events of this source.")] = None,
    since: Annotated[
        str | None, Parameter(help="Those accepted from this time on: 2h, yesterday, 2026-11-27, RFC 3339; UTC.")
    ] = None,
    until: Annotated[str | None, Parameter(help="Those accepted before this time.")] = None,
    secret: Annotated[list[str] | None, Parameter(env_var="FLAGCAST_SIGNING_SECRET", show_env_var=True)] = None,
    bucket: str | None = None,
    each: Annotated[bool, Parameter(negative="")] = False,
    log: Annotated[bool, Parameter(negative="--no-log")] = True,
    json: Json = False,
    config: Config = CONFIGURATION,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Prove each event of the archive, find what was altered, and what the log knows and the archive lacks.

    An event is proven if Flipt's signature holds under one of its source's secrets. It is unproven if it came without
    a signature, or if its secret is not known any more. Exits 1 if an object was altered or is missing, 2 if it could
    not look.

    Parameters
    ----------
    secret
        Another secret that Flipt may have signed with, such as the one before a rotation. Repeat it for several. The
        stack's own signing secrets are read from AWS.
    bucket
        The bucket of an archive whose stack was deleted. It is not compared with a log.
    each
        Print each object as it is verified: result, key, version, and why, separated by tabs.
    log
        Whether to compare it with the functions' log, which is copied first.

    """
    if each and json:
        raise CommandError("--each and --json are two ways to print the same", "Give one of them.")
    period = _period(since, until)
    where = account_of(account, stack, config)
    given = given_secrets(secret)
    with ExitStack() as entered:
        kept_days, name = (0, bucket) if bucket else _archive_of(stack, where)
        if not bucket and not kept_days:
            err.print("The archive is off (ArchiveDays is 0): no new event is archived.", style="yellow")
        # The log first: what it says was delivered by then must be there.
        store = entered.enter_context(with_copy(stack, account, offline=False)).store if log and not bucket else None
        known = _secrets(stack, where, config, is_optional=bool(bucket))
        archive = Bucket(where.clients()("s3"), where, name)
        seen = entered.enter_context(Seen())
        run = Verification(archive, lambda of: (*known.get(of, ()), *given), kept_days, period, seen)
        _follow(run, archive, source, is_each=each)
        compared = None if store is None else _compared(store, seen, period, kept_days, source)
    if json:
        out.write(as_json(name, run.tally, compared))
    else:
        show(name, run.tally, compared)
    return 1 if run.tally.results["altered"] or (compared and compared.lacking) else 0


def _period(since: str | None, until: str | None) -> Period:
    now = time.time()
    return Period(
        None if since is None else typed_moment("since", since, now),
        # What is accepted while this runs counts.
        now + DAY if until is None else typed_moment("until", until, now),
    )


def _archive_of(stack: str, account: Account) -> tuple[int, str]:
    """Return for how many days a stack keeps events, 0 if its archive is off, and the bucket; raises CommandError."""
    there = existing(account.clients()("cloudformation"), account, stack, OUTPUT)
    return int(there.parameters.get("ArchiveDays") or 0), there.outputs[OUTPUT]


def _secrets(stack: str, account: Account, config: Path, *, is_optional: bool) -> dict[str, tuple[str, ...]]:
    try:
        return dict(signing_secrets(stack, account, config))
    except CommandError as error:
        if not is_optional:
            raise
        err.print(marked("Only with --secret: {}", error), style="yellow", soft_wrap=True)
        return {}


def _follow(run: Verification, archive: Bucket, source: str | None, *, is_each: bool) -> None:
    """Verify everything, and show on a terminal how far that is."""
    progress = Progress(console=err, transient=True, disable=is_each or not err.is_terminal)
    with progress:
        bar = progress.add_task("Verifying", total=None)
        for finding in run.run(_sources(archive, source)):
            if is_each:
                show_each(finding)
            said = f"Verifying {finding.key.source} {finding.key.day}, {run.tally.objects:,} objects"
            progress.update(bar, description=said)


def _sources(archive: Bucket, source: str | None) -> list[str]:
    """Return the sources to verify; raises CommandError for one that the archive has no object of."""
    there = archive.sources()
    if source is None:
        return there
    if source not in there:
        raise CommandError(f"{archive.name} has no event of a source {source}", *there_are(source, there))
    return [source]


def _compared(store: Store, seen: Seen, period: Period, kept_days: int, source: str | None) -> Compared:
    """Compare for the time that both cover: what is older than the archive keeps is not missed."""
    kept_since = time.time() - kept_days * DAY if kept_days else 0.0
    since = max(period.since or 0.0, kept_since)
    return compare(store, seen, round(since * 1000), round(period.until * 1000), source)
