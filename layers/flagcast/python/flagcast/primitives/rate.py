"""How many requests a destination accepts in a time."""

import re
from typing import Self

from flagcast.primitives.duration import HOUR, MINUTE

_UNITS = {"s": 1, "m": MINUTE, "h": HOUR}
_RATE = re.compile(r"([1-9][0-9]{0,5})/([smh])")


class Rate(float):
    """Requests a second, written as ``50/s``, ``30/m`` or ``100/h``."""

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a rate; raises ValueError with a sentence for the operator."""
        if not isinstance(text, str) or not (found := _RATE.fullmatch(text)):
            raise ValueError("expected a rate such as 50/s, 30/m or 100/h")
        number, unit = found.groups()
        return cls(int(number) / _UNITS[unit])

    @property
    def interval(self) -> float:
        """Return the seconds from one request to the next."""
        return 1 / self
