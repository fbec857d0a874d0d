"""Moments as people type them: 2h, yesterday, 2026-11-27, 2026-11-27 14:30, 14:30, RFC 3339. All in UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from flagcast.primitives.duration import DAY
from flagcast.primitives.timestamp import epoch_of
from flagcast_cli.dlq.filter import read_age

EXAMPLES: Final = "2h, 3d, 1w, today, yesterday, monday, 14:30, 2026-11-27, 2026-11-27T14:30:00Z (all in UTC)"
_WEEKS: Final = re.compile(r"(\d{1,4})w", re.ASCII)
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?", re.ASCII)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def moment_of(text: str, now: float) -> float:
    """Return the moment that is meant, in epoch seconds; raises ValueError with a sentence.

    A length of time is so long ago, a day is its beginning, and a weekday the last one, today included.
    """
    said = " ".join(text.strip().lower().split()).removesuffix(" ago")
    found = _named(said, now)
    if found is None:
        found = _written(text.strip())
    if found is None:
        found = _ago(said, now)
    if found is None:
        raise ValueError(f"{text} is no time; write it as in {EXAMPLES}")
    return found


def _named(said: str, now: float) -> float | None:
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match said:
        case "now":
            return now
        case "today":
            return today.timestamp()
        case "yesterday":
            return (today - timedelta(days=1)).timestamp()
        case day if day in _DAYS:
            return (today - timedelta(days=(today.weekday() - _DAYS.index(day)) % 7)).timestamp()
    if clock := _CLOCK.fullmatch(said):
        return today.replace(hour=int(clock[1]), minute=int(clock[2])).timestamp()
    return None


def _written(text: str) -> float | None:
    if (found := epoch_of(text)) is not None:
        return found
    if not _DATE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _ago(said: str, now: float) -> float | None:
    if weeks := _WEEKS.fullmatch(said):
        return now - 7 * DAY * int(weeks[1])
    try:
        return now - read_age(said.replace(" ", ""))
    except ValueError:
        return None
