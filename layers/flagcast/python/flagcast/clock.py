"""Time, as the story is given it."""

from typing import Protocol


class Clock(Protocol):
    """Time as people count it and as deadlines do."""

    def now(self) -> float:
        """Return epoch seconds."""

    def monotonic(self) -> float:
        """Return seconds from some point, never set back."""
