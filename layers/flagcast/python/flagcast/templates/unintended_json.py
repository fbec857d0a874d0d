"""What is valid JSON and probably not what its author meant: `flagcast check` warns of it.

Outside of a string, a text that a filter joined or formatted is one string, even if it looks like JSON. Inside of a
string that is JSON itself, a value is escaped for the string around it, and not for the inner JSON.
"""

import re
from collections.abc import Iterable, Iterator

from flagcast.templates.json_escaping import NOT_JSON, Constant, Escaped, Json, Verbatim, Where, behind, located, parsed

_QUOTE_OR_ESCAPE = re.compile(r'\\.|"', re.DOTALL)
_BEGINS_JSON = re.compile(r'(?:\s|\\[nrt])*[\[{](?:\s|\\[nrt]|[\[{])*\\"')
"""What a string begins with whose text the template writes as JSON: {\\" or [\\", [{\\" and so on."""


def lookalikes(pieces: Iterable[object]) -> Iterator[str]:
    """Yield a sentence for each value of a JSON body that is probably not written as it was meant."""
    string = ""
    for piece, where, before in located(pieces):
        if isinstance(piece, Verbatim):
            string = _opened(string, where, piece)
        elif where is Where.OUTSIDE and _is_made(piece) and (kind := _looks_like(str(piece))):
            yield (
                f"a text that is itself {kind} is written as one string, {behind(before)}; print the value itself, or "
                "add `safe` if the text is meant as JSON (put quotes around it if not)"
            )
        elif where is Where.INSIDE and _BEGINS_JSON.match(string) and _is_text(piece):
            yield (
                f"a text is printed inside of JSON that is itself in a string, {behind(before)}; a quote in it would "
                "break the inner JSON: build the inner value and print it with tojson"
            )


def _opened(string: str, where: Where, text: Verbatim) -> str:
    """Return the template's own text of the string that is open behind a text, as it is escaped there."""
    read = ("\\" if where is Where.BEHIND_BACKSLASH else "") + text
    quotes = [found.end() for found in _QUOTE_OR_ESCAPE.finditer(read) if found[0] == '"']
    return read[quotes[-1] :] if quotes else string + read


def _looks_like(text: str) -> str | None:
    """Say what JSON a text is by itself, or as items or members; None if it is none."""
    if not text.strip():
        return None
    match parsed(text):
        case dict():
            return "a JSON mapping"
        case list():
            return "a JSON list"
        case bool() | None:
            return text.strip()
        case int() | float():
            return "a number"
        case str():
            return "a JSON string"
    if parsed(f"[{text}]") is not NOT_JSON:
        return "the items of a JSON list"
    return "the members of a JSON mapping" if parsed(f"{{{text}}}") is not NOT_JSON else None


def _is_made(piece: object) -> bool:
    """Return whether a piece is a text that the template made: an event's own is data, whatever it looks like."""
    return isinstance(piece, str) and type(piece) is not str and not isinstance(piece, Json | Escaped)


def _is_text(piece: object) -> bool:
    """Return whether a piece is a text that is escaped once: what tojson wrote, and what is no text, is right there."""
    if isinstance(piece, Json):
        return parsed(piece) is NOT_JSON
    return isinstance(piece, str) and not isinstance(piece, Escaped | Constant)
