"""Moments: RFC 3339 as events and tasks write them, epoch seconds as they are reckoned with."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

_WITH_ZONE = Annotated[datetime, Meta(tz=True)]


def rfc3339(epoch: float) -> str:
    """Write epoch seconds as RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_of(timestamp: str) -> float | None:
    """Read RFC 3339 as epoch seconds; None if no clock can show it."""
    read = _read(timestamp)
    return None if read is None else read.timestamp()


def moment_of(timestamp: str) -> datetime | None:
    """Read RFC 3339, in UTC; None if UTC has no such moment."""
    try:
        read = _read(timestamp)
        return None if read is None else read.astimezone(UTC)
    except OverflowError:
        return None


def written(moment: datetime, separator: str, zone: str) -> str:
    """Write a moment of UTC to the second."""
    # Not strftime, which writes the year 999 with three digits.
    return moment.replace(tzinfo=None).isoformat(separator, "seconds") + zone


def _read(timestamp: str) -> datetime | None:
    try:
        return msgspec.convert(timestamp, _WITH_ZONE)
    except msgspec.ValidationError:
        return None
