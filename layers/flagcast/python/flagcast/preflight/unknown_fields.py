"""Fields that a destination asks for and that no event has, found without an event that comes to them."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Final

from flagcast.config.model import Destination, Problem
from flagcast.config.value_path import below
from flagcast.events.event import Event
from flagcast.exchange.response import Response
from flagcast.primitives.text_position import TextPosition
from flagcast.summaries.event_summary import Summary
from flagcast.templates.jinja.member_access import members_in

_KNOWN: Final[Mapping[str, type]] = {"event": Event, "summary": Summary, "response": Response}
_METHODS: Final = frozenset({"get", "items", "keys", "values"})
"""What can be called on `vars`."""


def misspelt(destination: Destination, files: Mapping[str, str], path: str) -> Iterator[Problem]:
    """Yield a problem for each field that there is not, in `when`, `accept`, headers and the body."""
    for where, source in _sources(destination, files):
        name = destination.template or "body" if where == "template" else where
        yield from _in(source, below(path, where), name, sorted(destination.vars))


def _expressions(destination: Destination) -> tuple[tuple[str, str | None], ...]:
    return ("when", destination.when), ("accept", destination.accept), ("retry.when", destination.retry.when)


def _sources(destination: Destination, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for where, expression in _expressions(destination):
        if expression is not None:
            yield where, f"{{{{ {expression} }}}}"
    for name, text in destination.headers.items():
        yield f"headers.{name}", str(text)
    if destination.engine == "jinja2":
        if destination.template is not None:
            yield "template", files[destination.template]
        elif destination.body is not None:
            yield "body", destination.body


def _in(source: str, path: str, name: str, variables: list[str]) -> Iterator[Problem]:
    said = set()
    for asked in members_in(source):
        fields = _fields(asked.name, variables)
        if fields is None or asked.member in fields or asked in said:
            continue
        if asked.name == "vars" and asked.member in _METHODS:
            continue
        said.add(asked)
        close = difflib.get_close_matches(asked.member, fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(fields) or 'none'}"
        is_one_line = "\n" not in source.strip() and path.endswith(name)
        spot = None if is_one_line else TextPosition(name, asked.line)
        yield Problem(path, f"{asked.name} has no {asked.member}", hint, spot=spot)


def _fields(name: str, variables: list[str]) -> list[str] | None:
    """Return what a name has; None if that is not known."""
    if name == "vars":
        return variables
    kind = _KNOWN.get(name)
    return sorted(each for each in dir(kind) if not each.startswith("_")) if kind else None
