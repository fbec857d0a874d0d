"""Follows the log live: what is new in the ledger, each time that something was copied."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from rich.text import Text

from flagcast_cli.console import marked, out
from flagcast_cli.history import answers, queries
from flagcast_cli.history.answers import Happened
from flagcast_cli.history.filter import Filter
from flagcast_cli.history.wording import came_of, colour, follows, short_id, short_time
from flagcast_cli.ledger.event_ids import Asked
from flagcast_cli.ledger.stack_log import Copy

OVERLAP: Final = 60.0
"""Seconds that are looked at again each time, for lines that arrive after later ones."""


def follow(copy: Copy, wanted: Filter, wait: Callable[[float], None], every: float, *, as_json: bool) -> None:
    """Print what happens until it is interrupted, first what is there already if a time was said to begin from."""
    store = copy.store
    ends = {table: 0 if wanted.since is not None else queries.last_number(store, table) for table in _TABLES}
    while True:
        for each in _news(store, wanted, ends):
            _show(each, as_json=as_json)
        wait(every)
        copy.bring_up_to_date(lambda _: None, OVERLAP)


_TABLES: Final = ("events", "attempts")


def _news(ledger: Asked, wanted: Filter, ends: dict[str, int]) -> Iterator[Happened]:
    """Yield what was added after the rows that were seen, by time, and move on what was seen."""
    begins = dict(ends)
    ends.update((table, queries.last_number(ledger, table)) for table in _TABLES)
    rows = [
        *((row["at"], answers.accepted(row)) for row in queries.events_after(ledger, wanted, begins["events"])),
        *((row["at"], answers.attempted(row)) for row in queries.attempts_after(ledger, wanted, begins["attempts"])),
    ]
    yield from (each for _, each in sorted(rows, key=lambda each: each[0]))


def _show(each: Happened, *, as_json: bool) -> None:
    if as_json:
        out.write(msgspec.json.encode(each).decode() + "\n")
    elif each.event is not None:
        to = ", ".join(one.destination for one in each.event.deliveries) or "no destination"
        _line(each.event.accepted_at, "accepted", "bold", f"{each.what} → {to}", each.event_id)
    elif each.attempt is not None:
        one = each.attempt
        came = came_of(one)
        took = f"in {one.duration_ms} ms" if one.status else ""
        said = [f"{each.destination}: {came}" if came else f"{each.destination}", took, follows(one)]
        _line(one.at, one.state, colour(one.state), ", ".join(part for part in said if part), each.event_id)


def _line(at: str, word: str, style: str, text: str, event_id: str) -> None:
    out.print(
        short_time(at), Text(f"{word:<13}", style), marked("{} [dim]{}[/]", text, short_id(event_id)), soft_wrap=True
    )
