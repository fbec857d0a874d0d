"""Secrets taken out of text that others wrote, such as an answer that echoes the request."""

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"

# A server quotes parts of an address ("Cannot POST /services/T0/B0/XXXX"): a part this long is a secret of its own.
_SHORTEST_PART = 6
_SEPARATORS = re.compile(r"[\s/?&=:#]+")


def masked(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret, every longer part of one, and the forms an answer may write it in."""
    forms = {form for secret in secrets for part in _parts(secret) for form in _forms(part)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _parts(secret: str) -> Iterable[str]:
    if secret:
        yield secret
    yield from (part for part in _SEPARATORS.split(secret) if len(part) >= _SHORTEST_PART)


def _forms(part: str) -> Iterable[str]:
    return part, quote(part), quote(part, safe=""), html.escape(part), json.dumps(part)[1:-1]
