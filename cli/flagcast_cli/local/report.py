"""What arrived where, as a table that people read."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from rich.table import Table
from rich.text import Text

from flagcast_cli.console import marked


class Delivery(Struct, frozen=True):
    """What became of one event at one destination."""

    attempts: int
    status: int
    reason: str | None = None

    def __rich__(self) -> Text:
        """Return one cell."""
        if self.reason:
            return marked("[red]✗ {} {}[/]", self.status, self.reason)
        if self.attempts > 1:
            return marked("[green]✓[/] [yellow]{} attempts[/]", self.attempts)
        return marked("[green]✓[/]")


class DeadLetter(Struct, frozen=True):
    """What the dead-letter queue says of one task."""

    destination: str
    event: str
    reason: str
    status: str
    detail: str


Deliveries = Mapping[tuple[str, str], Delivery]
"""By the event's name and the destination's."""


def delivery_table(
    events: Sequence[str],
    destinations: Sequence[str],
    deliveries: Deliveries,
    changes: Mapping[str, Sequence[str]],
) -> Table:
    """Draw events by destinations, each with what it changed; a dot is where a destination does not want an event."""
    table = Table(title="What arrived where", title_justify="left", header_style="bold")
    table.add_column("event")
    for destination in destinations:
        table.add_column(destination)
    for event in events:
        cells = [deliveries.get((event, destination)) for destination in destinations]
        made = (cell.__rich__() if cell else marked("[dim]·[/]") for cell in cells)
        table.add_row(_event(event, changes.get(event, ())), *made)
    return table


def _event(name: str, changes: Sequence[str]) -> Text:
    # Not markup: what changed is what a name was and is.
    return Text.assemble(name, *((f"\n  {each}", "dim") for each in changes))


def said_of_changes(message: Mapping[str, Any]) -> list[str]:
    """Return the lines of what changed in a message of the preset slack."""
    blocks = [block for attachment in message["attachments"] for block in attachment["blocks"]]
    return [line for block in blocks if "text" in block for line in block["text"]["text"].split("\n")]


def dead_letter_table(letters: Sequence[DeadLetter]) -> Table:
    """Draw the dead letters, each with its reason."""
    table = Table(title="In the dead-letter queue", title_justify="left", header_style="bold")
    for heading in ("destination", "event", "reason", "status", "what it answered"):
        table.add_column(heading)
    for letter in letters:
        table.add_row(
            letter.destination, letter.event, marked("[red]{}[/]", letter.reason), letter.status, letter.detail
        )
    return table
