"""`flagcast learn`, `verify` and `forget`: what can be said, and what is done for it."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.progress import Progress

from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.errors import ConfigurationUnreadable
from flagcast.primitives.duration import Duration
from flagcast_cli.checkout import CONFIGURATION, Config
from flagcast_cli.confirmation import agreed, require_answer
from flagcast_cli.console import CommandError, counted, err, marked, out
from flagcast_cli.flipt_state.comparison import Compared, compare, gone_of
from flagcast_cli.flipt_state.flipt_client import Flipt
from flagcast_cli.flipt_state.learn import Learning, carry_out, writes
from flagcast_cli.flipt_state.output import show_differences, show_json, show_learned
from flagcast_cli.flipt_state.snapshot import Present, read_everything
from flagcast_cli.flipt_state.stored_rows import Rows, Stored, table_of
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.queues import STACK

TOKEN_ENV: Final = "FLIPT_TOKEN"  # noqa: S105 - the name of a variable
WAIT: Final = "6m"
"""Flipt holds an event back for up to five minutes, its longest flush_period (internal/config/audit.go); one more to
deliver it."""

Source = Annotated[str, Parameter(help="The name in flagcast.yaml of the source that this Flipt sends to.")]
FliptUrl = Annotated[str, Parameter(help="The address of Flipt's UI: https://flipt.example.com")]
TokenEnv = Annotated[str, Parameter(help="The variable with a Flipt token that may read every namespace.")]
Stack = Annotated[str, Parameter(help="The stack's name.")]


def learn(
    *,
    source: Source,
    flipt_url: FliptUrl,
    token_env: TokenEnv = TOKEN_ENV,
    dry_run: Annotated[bool, Parameter(help="Print what would be written, and write nothing.", negative="")] = False,
    config: Config = CONFIGURATION,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Read and remember what a running Flipt has, so that the next event about anything says what it changed.

    Run it after installing, and when `verify` lists differences that you accept. An event that arrives meanwhile wins.
    You can stop it and run it again at any time. Exits 1 if something could not be written.
    """
    _require_source(config, source)
    flipt, rows = _flipt_at(flipt_url, token_env), table_of(stack, account)
    present = _read(flipt)
    stored = rows.of(source)
    run = Learning(source, rows, present, time.time())
    calls = writes(run, stored, list(gone_of(source, stored, present)), dry=dry_run)
    with _progress() as progress:
        bar = progress.add_task("Comparing" if dry_run else "Writing", total=len(calls))
        counts = carry_out(calls, lambda: progress.advance(bar))
    out.print(marked("[green]✓[/] {} in Flipt", counted(len(present.things), "thing")))
    show_learned(counts, dry=dry_run)
    return 1 if counts["contested"] else 0


def verify(
    *,
    source: Source,
    flipt_url: FliptUrl,
    token_env: TokenEnv = TOKEN_ENV,
    wait: Annotated[
        str,
        Parameter(
            help="If something differs, compare again after this time, and list what still differs. 0 lists it at once."
        ),
    ] = WAIT,
    json: Annotated[bool, Parameter(help="As JSON.", negative="")] = False,
    config: Config = CONFIGURATION,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """List the changes in Flipt that never arrived as events.

    Exits 0 if nothing differs, 1 if something does, 2 if it could not compare. Flipt holds events back for up to five
    minutes, so what differs is compared again after --wait. What changed meanwhile is not listed.
    """
    _require_source(config, source)
    seconds = _seconds(wait)
    flipt, rows = _flipt_at(flipt_url, token_env), table_of(stack, account)
    compared = _compare(source, flipt, rows)
    differences = compared.differences
    if differences and seconds:
        err.print(
            f"{counted(len(differences), 'difference')}. Flipt may still hold back their events:"
            f" comparing again in {wait}. Ctrl-C stops. --wait 0 lists them at once.",
            soft_wrap=True,
        )
        with err.status("Waiting"):
            # As long as --wait says: Flipt says nothing when it has sent what it held back.
            time.sleep(seconds)
        compared = _compare(source, flipt, rows)
        # Of what is not as it was, the event may be under way now.
        differences = tuple(each for each in compared.differences if each in differences)
    if json:
        show_json(compared, differences)
    elif differences:
        show_differences(differences)
        out.print("To accept what Flipt has: flagcast learn, with the same --source and --flipt-url.")
    else:
        out.print(marked("[green]✓[/] {} compared: nothing differs", counted(compared.things, "thing")), soft_wrap=True)
    _say_what_was_not_compared(compared)
    return 1 if differences else 0


def forget(
    *,
    source: Source,
    namespace: Annotated[str | None, Parameter(help="Only this namespace and what is in it.")] = None,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative="")] = False,
    dry_run: Annotated[bool, Parameter(help="Print how many rows that is, and delete none.", negative="")] = False,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Delete what Flagcast remembers of a source, or of one of its namespaces: earlier values, and names.

    After that, the next event about anything does not say what it changed, until you run `flagcast learn`.
    """
    require_answer(yes=yes or dry_run)
    rows = table_of(stack, account, kept_up=False)
    stored = rows.of(source)
    keys = [
        key
        for key, each in stored.items()
        if namespace is None or (each.row is not None and each.row.namespace == namespace)
    ]
    place = f"source {source}" + (f", namespace {namespace}" if namespace else "")
    if not keys:
        out.print(f"The stack {stack} remembers nothing of {place}.", soft_wrap=True)
    elif dry_run:
        out.print(f"{counted(len(keys), 'known row')} of {place}. Nothing was changed: this was a dry run.")
        return 0
    elif not agreed(f"Delete {counted(len(keys), 'known row')} of {place} for good?", yes=yes):
        return 1
    else:
        with _progress() as progress:
            bar = progress.add_task("Deleting", total=len(keys))
            for some in rows.delete(keys):
                progress.advance(bar, some)
        out.print(marked("[green]✓[/] {} deleted", counted(len(keys), "row")), soft_wrap=True)
    _say_what_stays(stored, namespace)
    return 0


def _require_source(config: Path, source: str) -> None:
    """Raise CommandError for a source that the configuration has not: what is learned of it would be of no use."""
    try:
        sources = read_configuration(config).sources
    except ConfigurationUnreadable as error:
        raise CommandError(str(error), "flagcast check lists every problem.") from error
    if source not in sources:
        raise CommandError(f"{config} has no source {source}", f"It has {', '.join(sources) or 'none'}.")


def _flipt_at(url: str, token_env: str) -> Flipt:
    token = os.environ.get(token_env)
    if token is None and token_env != TOKEN_ENV:
        raise CommandError(f"{token_env} is not set", f"export {token_env}=... with a Flipt token.")
    return Flipt(url, token, token_env, time.time, time.sleep)


def _progress() -> Progress:
    """Show how far something is, on a terminal: what cron mails has none of it."""
    return Progress(console=err, transient=True, disable=not err.is_terminal)


def _read(flipt: Flipt) -> Present:
    with _progress() as progress:
        bar = progress.add_task("Reading Flipt", total=None)
        return read_everything(
            flipt,
            lambda namespace, done, total: progress.update(
                bar, description=f"Reading {namespace}", completed=done, total=total
            ),
        )


def _compare(source: str, flipt: Flipt, rows: Rows) -> Compared:
    """Look once: at Flipt first, so that what an event says meanwhile is seen to be newer."""
    present = _read(flipt)
    return compare(source, rows.of(source), present)


def _seconds(wait: str) -> float:
    try:
        return float(Duration.parse(wait))
    except ValueError as error:
        raise CommandError(f"--wait: {error}", "--wait 0 lists the differences at once.") from error


def _say_what_was_not_compared(compared: Compared) -> None:
    if compared.newer:
        err.print(f"{counted(compared.newer, 'thing')} not compared: changed while Flipt was read.", soft_wrap=True)
    if compared.without_order:
        err.print(
            f"{counted(compared.without_order, 'order')} of rules or rollouts not compared: never seen. flagcast learn"
            " stores them.",
            soft_wrap=True,
        )


def _say_what_stays(stored: Mapping[str, Stored], namespace: str | None) -> None:
    """Say what forgetting cannot reach."""
    unplaced = sum(each.row is None or each.row.namespace is None for each in stored.values()) if namespace else 0
    if unplaced:
        out.print(f"{counted(unplaced, 'row')} without a known namespace stayed: tokens, and rows that cannot be read.")
    out.print(
        "Not deleted: the functions' logs, dead letters, waiting deliveries, the bodies of large events, the archive,"
        " and what destinations received.",
        soft_wrap=True,
    )
