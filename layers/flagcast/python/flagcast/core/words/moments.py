"""Times as people and machines read them."""

from datetime import UTC, datetime


def moment(timestamp: str) -> datetime | None:
    """Read RFC 3339; None where there is no time that can be told in UTC."""
    try:
        read = datetime.fromisoformat(timestamp)
        return read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError):
        return None


def clock(at: datetime, separator: str, zone: str) -> str:
    """Write a time in UTC."""
    # Not strftime, which writes the year 999 with three digits.
    return at.replace(tzinfo=None).isoformat(separator, "seconds") + zone
