"""What a destination answered, as `accept` and `retry.when` see it, and as people do."""

import codecs
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from flagcast.exchange.masking import MASK

# UTF-32's mark begins as UTF-16's does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_CHARSET = re.compile(
    r"charset\s*=\s*[\"']?(utf-(?:16|32)(?:le|be)?|iso-8859-(?:[1-9]|1[013-6])|windows-125[0-8]|us-ascii)\b",
    re.ASCII | re.IGNORECASE,
)
"""Those that Python knows and that take no longer than others: a server names what it likes."""


class Headers(dict[str, str]):
    """An answer's headers, found by name in any case; one that came several times is one, joined by commas."""

    def __getitem__(self, name: str) -> str:
        """Return the value of a header; raises KeyError."""
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        """Return whether there is a header."""
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a header, or something else where there is none."""
        return super().get(name.lower(), default)


class Response(Struct, frozen=True):
    """What expressions see of an answer."""

    status: int
    text: str
    sent: Mapping[str, str] = {}
    """Its headers as they came."""

    @property
    def headers(self) -> Headers:
        """Return the headers."""
        return Headers({name.lower(): self.sent[name] for name in self.sent})

    @property
    def json(self) -> Any:
        """Return the text as JSON; None where it is not."""
        try:
            return msgspec.json.decode(self.text)
        except (msgspec.DecodeError, RecursionError):
            return None


def text_of(read: bytes, content_type: str) -> str:
    """Return the bytes of an answer as text: by their byte order mark, else the charset of its header, else UTF-8.

    UTF-16 and UTF-32 have a NUL in each letter of ASCII. Without one they are not what was meant: the secrets of a
    request that is echoed would be other letters, and no mask would find them.
    """
    told = _CHARSET.search(content_type)
    found = next((encoding for mark, encoding in _MARKS if read.startswith(mark)), told[1] if told else "utf-8")
    if found.lower().startswith(("utf-16", "utf-32")) and b"\0" not in read:
        found = "utf-8"
    return read.decode(found, errors="replace")


def points_to(location: str) -> str:
    """Say where a redirect points; what its query, its fragment and its user hold is masked."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return MASK
    host = f"{MASK}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    query = re.sub(r"=[^&;]*", f"={MASK}", parts.query) if "=" in parts.query else MASK if parts.query else ""
    return parts._replace(netloc=host, query=query, fragment=MASK if parts.fragment else "").geturl()
