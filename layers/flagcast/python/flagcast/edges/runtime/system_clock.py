"""The one clock."""

import time


class SystemClock:
    """Time as the machine has it."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds from some point, never set back."""
        return time.monotonic()
