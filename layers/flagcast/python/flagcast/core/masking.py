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
_SEPARATORS = re.compile(r"[\s/?&=:#]+")
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)")


def masked(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret and every longer part of one; where one still stands in other writing, all of the text."""
    parts = sorted({part for secret in secrets for part in _parts(secret)}, key=len, reverse=True)
    for form in sorted({form for part in parts for form in _forms(part)}, key=len, reverse=True):
        text = text.replace(form, MASK)
    plain = _plain(text)
    return MASK if any(_plain(part) in plain for part in parts) else text


def _parts(secret: str) -> Iterable[str]:
    if not secret:
        return
    yield secret
    for part in _SEPARATORS.split(secret):
        if len(part) >= _SHORTEST_PART:
            yield part
            yield from _decoded(part)


def _forms(part: str) -> Iterable[str]:
    return part, quote(part), quote(part, safe=""), html.escape(part), json.dumps(part)[1:-1]


def _decoded(part: str) -> Iterable[str]:
    """Return what stands in Base64, as user and password do in Basic authentication (RFC 7617)."""
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
    return unquote(html.unescape(whole)).casefold()
