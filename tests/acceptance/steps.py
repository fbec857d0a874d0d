"""What a step is, and how a list of them is carried out: whatever happens, what was made is deleted."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from flagcast_cli.console import CommandError, marked, out


class Where(Enum):
    """Where a step can be carried out."""

    ANYWHERE = "anywhere"
    AWS = "AWS alone"


class Situated(Protocol):
    """What a step is carried out on knows whether it is AWS."""

    @property
    def is_aws(self) -> bool: ...


class Step[On: Situated](Struct, frozen=True):
    """One step: what it is called, what it does, and where it can be done; raises CommandError if it fails."""

    name: str
    do: Callable[[On], None]
    where: Where = Where.ANYWHERE

    def is_for(self, on: On) -> bool:
        return on.is_aws or self.where is Where.ANYWHERE


class Failed(Exception):
    """Raised when a step failed, after it was shown."""


def carry_out[On: Situated](story: Sequence[Step[On]], deleting: Sequence[Step[On]], on: On) -> list[str]:
    """Do each step; returns the names of those that were done.

    The first that fails ends the story. Those that delete are done whatever happens, an interrupt included, each of
    them even where another one failed. Raises Failed, or whatever was not expected.
    """
    done: list[str] = []
    with ExitStack() as afterwards:
        for step in reversed(deleting):
            afterwards.callback(_do, step, on, done)
        for step in story:
            _do(step, on, done)
    return done


def _do[On: Situated](step: Step[On], on: On, done: list[str]) -> None:
    if not step.is_for(on):
        out.print(marked("[dim]- {} ({})[/]", step.name, step.where.value))
        return
    with _shown(step.name):
        step.do(on)
    done.append(step.name)


@contextmanager
def _shown(name: str) -> Iterator[None]:
    """Show a step while it is under way, and then what became of it and how long it took."""
    began = time.monotonic()

    def ended(mark: str) -> None:
        out.print(marked(f"{mark} {{}} [dim]{{}} s[/]", name, f"{time.monotonic() - began:.1f}"))

    try:
        with out.status(name):
            yield
    except CommandError as error:
        ended("[red]✗[/]")
        for line in (str(error), *error.next_steps):
            out.print(f"    {line}", soft_wrap=True)
        raise Failed(name) from error
    except (BotoCoreError, ClientError) as error:
        ended("[red]✗[/]")
        out.print(f"    {error}", soft_wrap=True)
        raise Failed(name) from error
    except BaseException:
        ended("[red]✗[/]")
        raise
    ended("[green]✓[/]")


def until[Found](what: str, probe: Callable[[], Found | None], seconds: float, *look_at: str) -> Found:
    """Probe until it finds something; raises CommandError with what was waited for and what to look at."""
    deadline = time.monotonic() + seconds
    pause = 0.2
    while (found := probe()) is None:
        if time.monotonic() > deadline:
            raise CommandError(f"{what}: not within {seconds:.0f} s", *look_at)
        # Between two looks, up to the deadline: no service says when it is ready.
        time.sleep(pause)
        pause = min(pause * 1.5, 5)
    return found
