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
    """Read RFC 3339 as epoch seconds; None where it is no moment that can be told."""
    try:
        return msgspec.convert(timestamp, _WITH_ZONE).timestamp()
    except (msgspec.ValidationError, OverflowError, ValueError):
        return None
