"""Retry-After as senders write it.

RFC 9110 section 10.2.3 knows whole seconds and HTTP dates. Seen besides: fractions, units, ISO dates, epoch seconds,
and a header that a proxy has repeated.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from flagcast.primitives.duration import DAY, HOUR, MINUTE

LONGEST_READ = DAY
"""Seconds; what is longer is taken for a mistake."""

INSTEAD = HOUR
"""Seconds that are read instead of a mistake: to look once an hour costs the destination nothing."""

_LONGEST_TEXT = 100
_EPOCH, _EPOCH_MILLISECONDS = 1e9, 1e11
"""From here on a number is a time: 2001 in seconds, 1973 in milliseconds. As seconds to wait it is 32 years."""

_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)", re.ASCII)
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)\s*([a-z]+)\s*", re.ASCII | re.IGNORECASE)
_TERMS = re.compile(rf"(?:{_TERM.pattern})+", re.ASCII | re.IGNORECASE)
_UNITS = {
    name: seconds
    for names, seconds in (
        ("ms msec msecs millisecond milliseconds", 0.001),
        ("s sec secs second seconds", 1),
        ("m min mins minute minutes", MINUTE),
        ("h hr hrs hour hours", HOUR),
    )
    for name in names.split()
}


def read_retry_after(text: str, now: float) -> float | None:
    """Return the seconds to wait, from 0 to a day; None where nothing can be read. `now` in epoch seconds."""
    text = text.strip(" \t\"'")
    if len(text) > _LONGEST_TEXT:
        return None
    seconds = next((found for each in (text, text.partition(",")[0]) if (found := _read(each, now)) is not None), None)
    if seconds is None:
        return None
    return max(seconds, 0.0) if seconds <= LONGEST_READ else float(INSTEAD)


def _read(text: str, now: float) -> float | None:
    if found := _NUMBER.fullmatch(text):
        number = float(found[1])
        if number >= _EPOCH_MILLISECONDS:
            return number / 1000 - now
        return number - now if number >= _EPOCH else number
    if _TERMS.fullmatch(text):
        terms = [(float(number), _UNITS.get(unit.lower())) for number, unit in _TERM.findall(text)]
        return sum(number * unit for number, unit in terms if unit) if all(unit for _, unit in terms) else None
    until = _date(text)
    return None if until is None else until - now


def _date(text: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            # Not a date of this kind, or one that no clock reaches.
            continue
    return None
