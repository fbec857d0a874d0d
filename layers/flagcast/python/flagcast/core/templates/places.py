"""What a value becomes by the place where it stands in JSON: inside a string, or outside of one.

A template is filled into pieces: its own text, `Verbatim`, and between it the values that it prints. Only the text
decides where a string begins and ends, so no value can end one, or add to the structure around it.
"""

import json
import re
from collections.abc import Iterable
from enum import Enum, auto

import msgspec
from msgspec import Struct

from flagcast.core.templates.data import as_json, as_text

_QUOTED = re.compile(r'"|\\')
_PUNCTUATION = re.compile(r"[\s,:\[\]{}]*")
_SHOWN = 40
"""Characters of the template's own text that say where a value stood."""


class Verbatim(str):
    """The template's own text."""

    __slots__ = ()


class Constant(str):
    """A string that the template itself writes as a value: {{ "," if not loop.last }}."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return what makes it anew in the code that Jinja2 compiles a template to."""
        return f"environment.constant({str(self)!r})"


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


class _Where(Enum):
    OUTSIDE = auto()
    INSIDE = auto()
    BEHIND_BACKSLASH = auto()


def plain(pieces: Iterable[object]) -> str:
    """Join pieces as text that is no JSON; raises NotData."""
    return "".join(map(as_text, pieces))


def place(pieces: Iterable[object]) -> str | Misplaced:
    """Join pieces as JSON, each value escaped for its place."""
    written: list[str] = []
    where, behind = _Where.OUTSIDE, ""
    for piece in pieces:
        if isinstance(piece, Verbatim):
            where, behind = _after(where, piece), piece
            text: str | None = piece
        elif where is _Where.OUTSIDE:
            text = _outside(piece)
        else:
            text = _inside(piece) if where is _Where.INSIDE else None
        if text is None:
            return Misplaced(f"{_complaint(piece, where)}, behind {str(behind)[-_SHOWN:].strip()!r}")
        written.append(text)
    return "".join(written)


def _after(where: _Where, text: str) -> _Where:
    """Tell where one is after the template's own text."""
    position = 0
    if where is _Where.BEHIND_BACKSLASH and text:
        where, position = _Where.INSIDE, 1
    while found := _QUOTED.search(text, position):
        position = found.end()
        if found[0] == '"':
            where = _Where.OUTSIDE if where is _Where.INSIDE else _Where.INSIDE
        elif where is _Where.INSIDE:
            if position == len(text):
                return _Where.BEHIND_BACKSLASH
            position += 1
    return where


def _inside(value: object) -> str | None:
    if isinstance(value, Escaped):
        return value if isinstance(_parsed(f'"{value}"'), str) else None
    if isinstance(value, str):
        return _escaped(value)
    text = as_json(value)
    return None if text is None else _escaped(text)


def _outside(value: object) -> str | None:
    if isinstance(value, Json | Escaped):
        return value if not value.strip() or _parsed(value) is not _NOT_JSON else None
    if isinstance(value, Constant) and _PUNCTUATION.fullmatch(value):
        return value
    return as_json(value)


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


_NOT_JSON = object()


def _parsed(text: str) -> object:
    try:
        return msgspec.json.decode(str(text))  # exactly a str, not a kind of it
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _NOT_JSON


def _complaint(piece: object, where: _Where) -> str:
    if where is _Where.BEHIND_BACKSLASH:
        return "a value stands right behind a backslash"
    if not isinstance(piece, str):
        return f"a {type(piece).__name__}, which JSON does not know, is printed"
    if where is _Where.INSIDE:
        return "a value that is said to be safe would end the string around it"
    return "a value that is not JSON stands outside of a string"
