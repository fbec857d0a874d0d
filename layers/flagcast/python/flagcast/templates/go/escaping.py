"""Text as Go's strconv quotes it, and as text/template's html, js and urlquery escape it."""

import re
from urllib.parse import quote_plus

from flagcast.templates.go.provenance import Js
from flagcast.templates.go.values import BYTES

_SHORT = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v", "\\": r"\\",
}  # fmt: skip
_LARGEST_RUNE = 0x10FFFF
_NOT_IN_BACKQUOTES = re.compile("[\x00-\x08\x0a-\x1f\x7f`\ufeff\ud800-\udfff]")
_HTML = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_JS = {"\\": r"\\", '"': r"\"", "<": r"\u003C", ">": r"\u003E", "&": r"\u0026", "=": r"\u003D"}


def quoted(text: str, *, ascii_only: bool) -> str:
    """Quote text with double quotes."""
    return f'"{text.translate({ord(each): _escape(each, '"', ascii_only=ascii_only) for each in set(text)})}"'


def quoted_rune(code: int, *, ascii_only: bool) -> str:
    """Quote a character with single quotes."""
    return f"'{_escape(rune(code), "'", ascii_only=ascii_only)}'"


def backquoted(text: str) -> str | None:
    """Quote text with backquotes; None where Go could not read it back."""
    return None if _NOT_IN_BACKQUOTES.search(text) else f"`{text}`"


def rune(code: int) -> str:
    """Return a character by its number; U+FFFD for a number that is none's."""
    return chr(code) if 0 <= code <= _LARGEST_RUNE and not 0xD800 <= code <= 0xDFFF else "\ufffd"


def _escape(character: str, quote: str, *, ascii_only: bool) -> str:
    code = ord(character)
    if character == quote:
        return f"\\{quote}"
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable() and (code < 0x80 or not ascii_only):
        return character
    if _is_stray_byte(code):
        return f"\\x{code & 0xFF:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _is_stray_byte(code: int) -> bool:
    return 0xDC80 <= code <= 0xDCFF


def html(text: str) -> str:
    """Escape text for HTML."""
    return text.translate(_HTML)


def urlquery(text: str) -> str:
    """Escape text for a query of a URL."""
    return quote_plus(text.encode(*BYTES), safe="")


def js(text: str) -> Js:
    r"""Escape text for JavaScript, and for JSON: that knows no \', and of a rune past U+FFFF no five digits."""
    both = {ord(each): _js(each) for each in set(text)}
    go, json = ({code: pair[which] for code, pair in both.items()} for which in (0, 1))
    return Js(text.translate(go), text.translate(json))


def _js(character: str) -> tuple[str, str]:
    if character == "'":
        return r"\'", "'"
    code = ord(character)
    if character in _JS:
        same = _JS[character]
    elif character.isprintable() or code == 0x7F or _is_stray_byte(code):
        same = character
    elif code <= 0xFFFF:
        same = f"\\u{code:04X}"
    else:
        surrogates = character.encode("utf-16-be")
        return f"\\u{code:04X}", f"\\u{surrogates[:2].hex().upper()}\\u{surrogates[2:].hex().upper()}"
    return same, same
