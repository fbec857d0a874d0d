"""A text as one line, and cut to a length, before any markup: what every message shows of a name or a value."""

import re
import unicodedata

_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of the text around it: a name with U+202E in it would rewrite the rest of its line."""

_UNWRITABLE = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z]{1,8});")
_LONGEST_ENTITY = 12
_JOINER = "\u200d"
_LONGEST_CLUSTER = 32


def line(text: str) -> str:
    """Return a text as one line of what can be written: no control, no change of direction, no half a character."""
    # Almost every name is one line already, and to see that takes a quarter of the time.
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    if not text.isascii():
        text = _UNWRITABLE.sub("\ufffd", _DIRECTIONS.sub("", text))
    return _SPACES.sub(" ", text).strip()


def shorten(text: str, length: int, suffix: str = "…") -> str:
    """Cut a text to a length in UTF-16 code units, the suffix included; give it escaped, and it stays escaped.

    UTF-16 is the largest of the units in which vendors count characters. An entity such as &amp; or a backslash and
    what it escapes is kept or cut whole, and so is, within reason, a letter with its marks or an emoji of many parts.
    """
    length = max(length, 0)
    if _size(text) <= length:
        return text
    kept = _first(text, length - _size(suffix))
    start = kept.rfind("&", max(len(kept) - _LONGEST_ENTITY, 0))
    if start >= 0 and (entity := _ENTITY.match(text, start)) and entity.end() > len(kept):
        kept = kept[:start]
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept = kept[:-1]
    return _whole(text, kept) + _first(suffix, length)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _first(text: str, length: int) -> str:
    """Return as much of a text as fits, in UTF-16 code units, no character halved."""
    if length <= 0:
        return ""
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * length].decode("utf-16-le", "surrogatepass")
    return kept[:-1] if "\ud800" <= kept[-1:] <= "\udbff" else kept


def _whole(text: str, kept: str) -> str:
    """Drop from the end what is only a part of what a reader sees as one character."""
    end = len(kept)
    for at in range(end, max(end - _LONGEST_CLUSTER, -1), -1):
        if not _continues(text[at]) and text[at - 1 : at] != _JOINER:
            return text[:at]
    return kept


def _continues(character: str) -> bool:
    is_skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    return character == _JOINER or is_skin_tone or unicodedata.category(character).startswith("M")
