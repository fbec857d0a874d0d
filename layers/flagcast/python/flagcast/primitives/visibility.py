"""What can be seen of a text."""

import unicodedata
from typing import Final

_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing: fillers of Hangul, Braille without a dot."""


def is_visible(text: str) -> bool:
    """Return whether there is anything to see in a text."""
    return any(unicodedata.category(each)[0] not in "CZ" and each not in _BLANK for each in text)
