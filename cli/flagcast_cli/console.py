"""What people see: colour where the terminal has it, errors with the next step to take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class CommandError(Exception):
    """Raised to end a command with a sentence, and the next step to take."""

    def __init__(self, message: str, *next_steps: str) -> None:
        """Keep what went wrong and what to do about it."""
        super().__init__(message)
        self.next_steps = next_steps


def show_error(error: CommandError) -> None:
    """Print an error and what to do about it."""
    err.print("[red]error:[/]", end=" ")
    err.print(str(error), soft_wrap=True, markup=False, emoji=False)
    for step in error.next_steps:
        err.print(f"  {step}", soft_wrap=True, markup=False)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show that something is under way, and how long it took."""
    began = time.monotonic()
    with out.status(what):
        yield
    out.print(f"[green]✓[/] {what} [dim]{time.monotonic() - began:.1f} s[/]")
