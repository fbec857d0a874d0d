"""Durations as Flipt writes them."""

import re
from typing import Self

from flagcast.primitives.value_display import shown

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(rf"(?:{_TERM.pattern})+", re.ASCII)

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Duration(float):
    """A length of time in seconds, written as Go writes it: ``15s``, ``1m30s``, ``24h``, ``500ms``.

    The syntax is that of Go's time.ParseDuration, which reads Flipt's own file; no sign, as no setting wants one.
    """

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a duration; raises ValueError with a sentence for the operator."""
        if text == "0":
            return cls(0)
        if not isinstance(text, str) or not _WHOLE.fullmatch(text):
            raise ValueError(f"expected a duration such as 15s, 1m30s or 24h, got {shown(text)}")
        return cls(sum(float(number) * _UNITS[unit] for number, unit in _TERM.findall(text)))
