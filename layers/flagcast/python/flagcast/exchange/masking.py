"""Secrets taken out of text that others wrote, such as an answer that echoes the request."""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

MASK = "***"

# A server quotes parts of an address ("Cannot POST /services/T0/B0/XXXX"): a part this long is a secret of its own.
_SHORTEST_PART = 6
SHORTEST_PIECE = 12
"""Characters of a part that are masked wherever they are cut out of it: servers shorten what they quote."""
_AT_EACH = 5
_LOOKED_FOR = SHORTEST_PIECE - _AT_EACH + 1
"""So many characters, from each fifth on: one such is whole in any piece of twelve."""
_ENCODED = 3
"""How often an address may be percent-encoded: a proxy that quotes it does it once more."""

_SEPARATORS = re.compile(r"[\s/?&=:#]+")
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)")
_HTML_NUMBER = re.compile(r"&#0*(\d{1,8})\d*", re.ASCII)
"""What Python reads of a number: it raises for one of more than 4,300 digits, and none of eight is a character."""


def masked(text: str, secrets: Iterable[str], longest: int | None = None) -> str:
    """Replace every secret, every longer part of one and every longer piece of a part; then keep so many characters.

    Where one is still there in other writing, all of the text is replaced. docs/security.md says what no mask can know.
    """
    parts = sorted({part for secret in secrets for part in _parts(secret)}, key=len, reverse=True)
    forms = sorted({form for part in parts for form in _forms(part)}, key=len, reverse=True)
    for form in forms:
        text = text.replace(form, MASK)
    plain = _plain(text)
    if any(_plain(part) in plain for part in parts):
        return MASK
    # Pieces are looked for in what is kept alone: it takes as long as text and secrets are long.
    if longest is not None:
        text = text[: longest + SHORTEST_PIECE]
    for form in forms:
        text = _without_pieces(text, form)
    return text[:longest]


def _without_pieces(text: str, form: str) -> str:
    """Replace what was cut out of one form of a part; a whole secret has separators that any text has too."""
    if len(form) < SHORTEST_PIECE or _SEPARATORS.search(form):
        return text
    for begin in range(0, len(form) - _LOOKED_FOR + 1, _AT_EACH):
        looked_for, at = form[begin : begin + _LOOKED_FOR], 0
        while (found := text.find(looked_for, at)) >= 0:
            start, end = _extended(text, found, form, begin)
            if end - start >= SHORTEST_PIECE:
                text = text[:start] + MASK + text[end:]
                at = start + len(MASK)
            else:
                at = end
    return text


def _extended(text: str, found: int, form: str, begin: int) -> tuple[int, int]:
    """Return from where to where a text is the same as a form, around what was found of it."""
    start, first = found, begin
    while start and first and text[start - 1] == form[first - 1]:
        start, first = start - 1, first - 1
    end, last = found + _LOOKED_FOR, begin + _LOOKED_FOR
    while end < len(text) and last < len(form) and text[end] == form[last]:
        end, last = end + 1, last + 1
    return start, end


def _parts(secret: str) -> Iterable[str]:
    if not secret:
        return
    yield secret
    for part in _SEPARATORS.split(secret):
        if len(part) >= _SHORTEST_PART:
            yield part
            yield from _decoded(part)


def _forms(part: str) -> Iterable[str]:
    in_hex = part.encode(errors="surrogatepass").hex()
    return part, quote(part), quote(part, safe=""), html.escape(part), json.dumps(part)[1:-1], in_hex, in_hex.upper()


def _decoded(part: str) -> Iterable[str]:
    """Return what is in Base64, as user and password are in Basic authentication (RFC 7617)."""
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), validate=True).decode()
    except ValueError:
        return
    yield from (each for each in (text, *text.split(":")) if len(each) >= _SHORTEST_PART and each.isprintable())


def _plain(text: str) -> str:
    """Undo what JSON, HTML and addresses escape, and tell no case from the other."""
    unescaped = _JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    # Two halves of a character are one again.
    whole = unescaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    plain = html.unescape(_HTML_NUMBER.sub(r"&#\1", whole))
    for _ in range(_ENCODED):
        plain = unquote(plain)
    return plain.casefold()
