"""Which events and deliveries: the options of every command that asks the ledger."""

from dataclasses import asdict, dataclass
from typing import Annotated

from cyclopts import Parameter

from flagcast_cli.console import CommandError
from flagcast_cli.history.filter import Filter
from flagcast_cli.history.typed_time import moment_of


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class About:
    """Which events, by what they are: those for which all of it holds; without anything, all."""

    source: Annotated[str | None, Parameter(help="Those of this source, as flagcast.yaml names it.")] = None
    type: Annotated[str | None, Parameter(help="Those of this type, such as flag.")] = None
    action: Annotated[str | None, Parameter(help="Those of this action: created, updated or deleted.")] = None
    namespace: Annotated[str | None, Parameter(help="Those in this namespace.")] = None
    flag: Annotated[str | None, Parameter(help="Those about this flag, by its key.")] = None
    actor: Annotated[str | None, Parameter(help="Those by this person or token, as the event names them.")] = None
    text: Annotated[str | None, Parameter(help="Those with this text in title, names, changes, answer or detail.")] = (
        None
    )
    since: Annotated[
        str | None, Parameter(help="Those from this time on: 2h, yesterday, 14:30, 2026-11-27, RFC 3339; UTC.")
    ] = None
    until: Annotated[str | None, Parameter(help="Those before this time.")] = None

    def filter(self, now: float) -> Filter:
        """Read what was typed; raises CommandError."""
        said = asdict(self)
        since, until = (_milliseconds(name, said.pop(name), now) for name in ("since", "until"))
        return Filter(since=since, until=until, **said)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Which(About):
    """Which events, by their deliveries too."""

    destination: Annotated[str | None, Parameter(help="Those for this destination.")] = None
    state: Annotated[
        str | None, Parameter(help="Those with a delivery that is in this state, such as retrying or dead-lettered.")
    ] = None
    reason: Annotated[str | None, Parameter(help="Those dead-lettered for this reason, such as rejected.")] = None


ALL = Which()


def _milliseconds(name: str, text: str | None, now: float) -> int | None:
    return None if text is None else round(typed_moment(name, text, now) * 1000)


def typed_moment(name: str, text: str, now: float) -> float:
    """Read what was typed for an option that is a time, as epoch seconds; raises CommandError."""
    try:
        return moment_of(text, now)
    except ValueError as error:
        raise CommandError(f"--{name}: {error}") from error
