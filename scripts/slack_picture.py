"""Draw messages of Slack as an SVG: a picture of what the preset sends, not of what Slack's app looks like."""

import html
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH = 620
_LEFT, _BAR, _LINE, _COLUMNS = 24, 40, 20, 250
_CHARACTERS = 80
_LINK = re.compile(r"<[^|>]*\|([^>]*)>")


def draw(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return one picture of several messages."""
    parts: list[str] = []
    y = 14
    for message in messages:
        y = _message(message, y, parts)
    font = "-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" '
        f'font-family="{font}" font-size="14" fill="#1d1c1d">\n'
        f'<rect width="{WIDTH}" height="{y}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _message(message: Mapping[str, Any], y: int, parts: list[str]) -> int:
    """Draw one message from a height on; returns where the next begins."""
    for block in message["blocks"]:
        for line in textwrap.wrap(_read(block["text"]["text"]), _CHARACTERS):
            y += _LINE
            parts.append(_text(_LEFT, y, line))
    for attachment in message["attachments"]:
        top = y + 10
        y = top
        for block in attachment["blocks"]:
            y = _block(block, y, parts) + 6
        parts.append(f'<rect x="{_LEFT}" y="{top}" width="4" height="{y - top}" rx="2" fill="{attachment["color"]}"/>')
    return y + 16


def _block(block: Mapping[str, Any], y: int, parts: list[str]) -> int:
    for line in _lines(block):
        y += _LINE
        parts.append(_text(_BAR, y, line))
    fields = [_read(each["text"]).split("\n") for each in block.get("fields", [])]
    for at in range(0, len(fields), 2):
        for column, (label, value) in enumerate(fields[at : at + 2]):
            x = _BAR + column * _COLUMNS
            parts.append(_text(x, y + _LINE, label.strip("*"), 'font-weight="700"'))
            parts.append(_text(x, y + 2 * _LINE, value))
        y += 2 * _LINE + 4
    if elements := block.get("elements"):
        y += _LINE
        said = "   ".join(_LINK.sub(r"\1", _read(each["text"])) for each in elements)
        parts.append(_text(_BAR, y, said, 'font-size="12" fill="#616061"'))
    return y


def _lines(block: Mapping[str, Any]) -> Iterator[str]:
    for line in _read(block["text"]["text"]).split("\n") if "text" in block else []:
        yield from textwrap.wrap(line, _CHARACTERS)


def _read(text: str) -> str:
    return html.unescape(text.replace("\u200b", ""))


def _text(x: int, y: int, text: str, style: str = "") -> str:
    return f'<text x="{x}" y="{y}" {style}>{html.escape(text)}</text>'.replace(" >", ">")
