"""`flagcast dlq`: what can be said."""

from dataclasses import asdict, dataclass
from typing import Annotated

from cyclopts import App, Parameter

from flagcast_cli.checkout import CONFIGURATION, Config
from flagcast_cli.console import CommandError
from flagcast_cli.dlq import actions, redrive_command
from flagcast_cli.dlq.filter import Filter
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.queues import STACK
from flagcast_cli.stack.samconfig import account_of

app = App(name="dlq", help="See what could not be delivered, deliver it after all, or drop it.")

Stack = Annotated[str, Parameter(help="The stack's name.")]
Yes = Annotated[bool, Parameter(help="Do not ask.", negative="")]
Log = Annotated[
    bool,
    Parameter(
        negative="--no-log",
        help="Whether to read the functions' log too: it has titles and answers. The first time that can take minutes.",
    ),
]
DryRun = Annotated[bool, Parameter(help="Say what would be done, and change nothing.", negative="")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Which:
    """Which dead letters: those for which all of it holds; without anything, all."""

    destination: Annotated[str | None, Parameter(help="Those for this destination (- for what was no event).")] = None
    reason: Annotated[str | None, Parameter(help="Those of this reason, such as rejected or queue_net.")] = None
    older_than: Annotated[str | None, Parameter(help="Those dead for longer, such as 30m, 12h or 3d.")] = None
    newer_than: Annotated[str | None, Parameter(help="Those dead for less long.")] = None
    type: Annotated[str | None, Parameter(help="Those of this event type, such as flag or flag:updated.")] = None
    event_id: Annotated[str | None, Parameter(help="Those of this event; also the id of a message.")] = None

    def filter(self) -> Filter:
        """Read what was typed; raises CommandError."""
        try:
            return Filter.of(**asdict(self))
        except ValueError as error:
            raise CommandError(str(error), "flagcast dlq list --help shows examples.") from error


_ALL = Which()


@app.command(name="list")
def list_(
    which: Which = _ALL,
    *,
    json: Annotated[bool, Parameter(help="As JSON.", negative="")] = False,
    log: Log = True,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """List the dead letters, counted by destination and reason first, each with what the destination answered."""
    return actions.list_letters(stack, account_of(account, stack), which.filter(), as_json=json, log=log)


@app.command
def show(
    id: str,  # noqa: A002 - what people type
    /,
    *,
    log: Log = True,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Print a dead letter with its body, why it is one, and what to do about it.

    For an event that has none it says how its deliveries stand, and exits 1.

    Parameters
    ----------
    id
        The id of its event or message, or the beginning of it: four characters or more, with or without evt_.

    """
    return actions.show_letters(stack, account_of(account, stack), id, log=log)


@app.command
def redrive(
    which: Which = _ALL,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    wait: Annotated[
        bool, Parameter(negative="--no-wait", help="Whether to wait for two minutes, and say what became of them.")
    ] = True,
    log: Log = True,
    config: Config = CONFIGURATION,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Have dead letters delivered again, in the order in which their events were accepted.

    May be stopped and run again at any time. Exits 1 if one of them stays, or is a dead letter again. What stays in
    order at each destination is as the deployed configuration says; --config is read where that cannot be had.
    """
    return redrive_command.redrive(
        stack,
        account_of(account, stack, config),
        which.filter(),
        config,
        yes=yes,
        dry_run=dry_run,
        wait=wait,
        log=log,
    )


@app.command
def drop(
    which: Which = _ALL,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    stack: Stack = STACK,
    account: Account = ENVIRONMENT,
) -> int:
    """Delete dead letters for good. Exits 1 if one of them stays."""
    return actions.drop(stack, account_of(account, stack), which.filter(), yes=yes, dry_run=dry_run)
