"""From the functions' log lines to what `flagcast dev` prints of them. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from functools import partial
from typing import Final, assert_never

import msgspec
from msgspec import Struct, structs
from rich.text import Text

from flagcast.primitives.timestamp import epoch_of
from flagcast_cli.console import marked
from flagcast_cli.history import answers
from flagcast_cli.history.wording import came_of, colour, short_id, waits
from flagcast_cli.ledger.log_line import LogEvent, row_of
from flagcast_cli.ledger.rows import Attempt, Event, Rejection

_OURS: Final = '{"event":'
_REFUSED: Final = {
    "unauthorized": "its signature is missing, or is not made with the signing secret",
    "unknown_source": "the configuration has no source of that name",
    "forbidden": "its address is not in the source's allow_from",
    "too_large": "its body is larger than 6 MiB",
}


class _Detail(Struct):
    detail: str = ""


class Activity:
    """Makes a line for people of each line of the log that tells what became of an event; times in a zone."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        """Know no event yet; without a zone, times are this machine's."""
        self._zone = zone
        self._titles: dict[str, str] = {}

    def lines(self, logged: Iterable[LogEvent]) -> Iterator[Text]:
        """Yield the lines, oldest first."""
        for each in logged:
            if each.message.startswith(_OURS) and (row := row_of(each)) is not None:
                match row:
                    case Event():
                        yield self._accepted(row)
                    case Attempt():
                        yield self._attempted(row)
                    case Rejection():
                        yield self._refused(row, msgspec.json.decode(each.message, type=_Detail).detail)
                    case _:
                        assert_never(row)

    def _accepted(self, event: Event) -> Text:
        self._titles[event.event_id] = title = event.title or f"{event.type} {event.action}"
        to = ", ".join(event.destinations) or "no destination"
        return self._line(event.at, "accepted", "bold", f"{title} → {to}", event.event_id)

    def _attempted(self, row: Attempt) -> Text:
        one = answers.attempt(structs.asdict(row))
        came, number = came_of(one), f"attempt {one.attempt}" if one.attempt else ""
        took = f"in {one.duration_ms} ms" if one.status else ""
        said = [number, f"{came} {took}".strip(), *waits(one, partial(self._clock, row.at / 1000))]
        title = self._titles.get(row.event_id, "")
        told = f"{row.destination}: {', '.join(each for each in (title, *said) if each)}"
        return self._line(row.at, one.state, colour(one.state), told, row.event_id)

    def _refused(self, row: Rejection, detail: str) -> Text:
        why = ": ".join(each for each in (row.reason, detail or _REFUSED.get(row.reason, "")) if each)
        to = f" at source {row.source}" if row.source != "-" else ""
        return self._line(row.at, "refused", "red", f"a request{to}, {why}", "")

    def _line(self, at: int, word: str, style: str, told: str, event_id: str) -> Text:
        moment = self._written(at / 1000)
        return Text.assemble(f"{moment} ", (f"{word:<13} ", style), marked("{} [dim]{}[/]", told, short_id(event_id)))

    def _clock(self, now: float, moment: str) -> str:
        """Write a time to come, with its day unless that is today."""
        seconds = epoch_of(moment)
        if seconds is None:
            return moment
        is_today = datetime.fromtimestamp(seconds, self._zone).date() == datetime.fromtimestamp(now, self._zone).date()
        return self._written(seconds) if is_today else f"{datetime.fromtimestamp(seconds, self._zone):%m-%d %H:%M:%S}"

    def _written(self, seconds: float) -> str:
        return f"{datetime.fromtimestamp(seconds, self._zone):%H:%M:%S}"
