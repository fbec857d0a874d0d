"""Where a Go template's text comes from, kept through functions that only put texts together.

A text is the template's own, or made by `js` (so that it is escaped already), or of anything else. printf, print and
println make a text of several; every other function makes a new one of which nothing is known.
"""

from collections.abc import Iterable


class Own(str):
    """A string that is written in the template."""

    __slots__ = ()


class Js(str):
    """What `js` made; `json` is the same as the inside of a JSON string, for JavaScript is not always JSON."""

    __slots__ = ("json",)

    json: str

    def __new__(cls, text: str, json: str) -> "Js":
        """Take what Go writes, and what JSON wants."""
        made = super().__new__(cls, text)
        made.json = json
        return made


class Joined(str):
    """A text of several parts."""

    __slots__ = ("parts",)

    parts: tuple[str, ...]

    def __new__(cls, parts: Iterable[str]) -> "Joined":
        """Join the parts."""
        kept = tuple(parts)
        made = super().__new__(cls, "".join(kept))
        made.parts = kept
        return made


def parts_of(text: str) -> tuple[str, ...]:
    """Return the parts that a text was put together from."""
    return text.parts if isinstance(text, Joined) else (text,)


def joined(texts: Iterable[str]) -> str:
    """Put texts together; neighbours of which nothing is known become one."""
    parts: list[str] = []
    for part in (part for text in texts for part in parts_of(text) if part):
        if parts and type(parts[-1]) is type(part) is not Js:
            parts[-1] = type(part)(parts[-1] + part)
        else:
            parts.append(part)
    return parts[0] if len(parts) == 1 else Joined(parts)
