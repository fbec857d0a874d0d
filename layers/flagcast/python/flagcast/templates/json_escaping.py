"""What a value becomes by its place in JSON: inside a string, or outside of one.

A template is filled into pieces: its own text, `Verbatim`, and between it the values that it prints. Only the text
decides where a string begins and ends, so no value can end one, or add to the structure around it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import Final

import msgspec
from msgspec import Struct

from flagcast.templates.data import as_json, as_text

_QUOTED = re.compile(r'"|\\')
_PUNCTUATION = re.compile(r"[\s,:\[\]{}]*")
_SHOWN = 40
"""Characters of the template's own text that mark where a value was."""


class Verbatim(str):
    """The template's own text."""

    __slots__ = ()


class Constant(str):
    """A string that the template itself writes as a value: {{ "," if not loop.last }}."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return what makes it again in the code that Jinja2 compiles a template to."""
        return f"environment.constant({str(self)!r})"


class Formed(str):
    """A text that a filter or an operator made: a value like any other, and no structure even if it looks like it."""

    __slots__ = ()


class Json(str):
    """A value that is JSON already: it stands outside of a string as it is, and is text inside of one."""

    __slots__ = ()


class Escaped(str):
    """A value that is already escaped for where it stands; it is looked at, and never escaped again."""

    __slots__ = ()


class Captured(str):
    """What a macro or a block set made: text to whatever looks at it, and still pieces where it is printed."""

    __slots__ = ("pieces",)
    pieces: tuple[object, ...]

    def __new__(cls, pieces: tuple[object, ...]) -> "Captured":
        """Join the pieces as text, and keep them."""
        made = super().__new__(cls, plain(pieces))
        made.pieces = pieces
        return made


class Misplaced(Struct, frozen=True):
    """A value that cannot stand where the template puts it."""

    detail: str


class Where(Enum):
    """Where in JSON a piece is: outside of a string, inside of one, or right behind a backslash there."""

    OUTSIDE = auto()
    INSIDE = auto()
    BEHIND_BACKSLASH = auto()


def plain(pieces: Iterable[object]) -> str:
    """Join pieces as text that is no JSON; raises NotData."""
    return "".join(map(as_text, pieces))


def place(pieces: Iterable[object]) -> str | Misplaced:
    """Join pieces as JSON, each value escaped for its place."""
    written: list[str] = []
    for piece, where, before in located(pieces):
        if isinstance(piece, Verbatim):
            text: str | None = piece
        elif where is Where.OUTSIDE:
            text = _outside(piece, written)
        else:
            text = _inside(piece) if where is Where.INSIDE else None
        if text is None:
            return Misplaced(f"{_complaint(piece, where)}, {behind(before)}")
        written.append(text)
    return "".join(written)


def located(pieces: Iterable[object]) -> Iterator[tuple[object, Where, str]]:
    """Yield each piece, where it is, and the template's own text before it."""
    where, before = Where.OUTSIDE, ""
    for piece in pieces:
        yield piece, where, before
        if isinstance(piece, Verbatim):
            where, before = _after(where, piece), piece


def behind(text: str) -> str:
    """Say what of the template's own text is before a value."""
    return f"behind {str(text)[-_SHOWN:].strip()!r}"


def _after(where: Where, text: str) -> Where:
    """Tell where one is after the template's own text."""
    position = 0
    if where is Where.BEHIND_BACKSLASH and text:
        where, position = Where.INSIDE, 1
    while found := _QUOTED.search(text, position):
        position = found.end()
        if found[0] == '"':
            where = Where.OUTSIDE if where is Where.INSIDE else Where.INSIDE
        elif where is Where.INSIDE:
            if position == len(text):
                return Where.BEHIND_BACKSLASH
            position += 1
    return where


def _inside(value: object) -> str | None:
    if isinstance(value, Escaped):
        return value if isinstance(parsed(f'"{value}"'), str) else None
    if isinstance(value, str):
        return _escaped(value)
    text = as_json(value)
    return None if text is None else _escaped(text)


def _outside(value: object, written: list[str]) -> str | None:
    if isinstance(value, Json | Escaped):
        return value if not value.strip() or parsed(value) is not NOT_JSON else None
    if isinstance(value, Constant) and is_punctuation(value) and not _is_member(value, written):
        return value
    return as_json(value)


def is_punctuation(text: str) -> bool:
    """Return whether a text is JSON's punctuation and blanks alone."""
    return _PUNCTUATION.fullmatch(text) is not None


def _is_member(constant: str, written: list[str]) -> bool:
    """Return whether the value of a member must be here: then what does not open a list or mapping is a text."""
    if constant.strip()[:1] in ("[", "{"):
        return False
    last = next((text for text in reversed(written) if text and not text.isspace()), "")
    return last.rstrip().endswith(":")


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


NOT_JSON: Final = object()


def parsed(text: str) -> object:
    """Read JSON; NOT_JSON where it is none."""
    try:
        return msgspec.json.decode(str(text))  # exactly a str, not a kind of it
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return NOT_JSON


def _complaint(piece: object, where: Where) -> str:
    if where is Where.BEHIND_BACKSLASH:
        return "a value stands right behind a backslash"
    if not isinstance(piece, str):
        return f"a {type(piece).__name__}, which JSON does not know, is printed"
    if where is Where.INSIDE:
        return "a value that is said to be safe would end the string around it"
    return "a value that is not JSON stands outside of a string"
