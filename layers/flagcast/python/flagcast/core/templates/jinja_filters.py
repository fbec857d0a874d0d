"""Jinja2's filters and tests, bounded: each says what it is about to look at and to make."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateRuntimeError, Undefined, pass_environment
from jinja2.environment import Environment
from jinja2.filters import FILTERS, do_attr, make_attrgetter
from jinja2.tests import TESTS

from flagcast.core.templates.limits import (
    CALL,
    LimitExceeded,
    check_format,
    check_number,
    counted,
    read,
    spend,
    work,
)
from flagcast.core.templates.markup import FILTERS as MARKUP
from flagcast.core.templates.places import Captured, Escaped, Json, as_json

if TYPE_CHECKING:
    from flagcast.core.templates.jinja_environment import PiecesEnvironment

_REMOVED = frozenset({"random", "xmlattr"})
"""A body that differs at each attempt, and what is for HTML alone."""

_AT_A_GLANCE = frozenset({"attr", "count", "d", "default", "first", "last", "length"})
"""Filters that do not look at all that a value holds."""

_BY_ITEM = frozenset({
    "batch", "dictsort", "groupby", "join", "list", "map", "max", "min", "pprint", "reject", "rejectattr", "reverse",
    "select", "selectattr", "slice", "sort", "sum", "unique",
})  # fmt: skip
"""Filters that do something with each item, or character."""

LINE = 300
"""Work for each line that is wrapped."""
WORD = 600
"""Work for each word that may be an address."""

_CHUNK = re.compile(r"[\t\n\x0b\x0c\r ]+|[^\t\n\x0b\x0c\r ]+")
"""What textwrap does not break: its white space is ASCII's, so a no-break space is a letter of a word."""

_READING_TESTS = frozenset({
    "!=", "<", "<=", "==", ">", ">=", "eq", "equalto", "ge", "greaterthan", "gt", "in", "le", "lessthan", "lower", "lt",
    "ne", "upper",
})  # fmt: skip


def filters() -> dict[str, Any]:
    """Return the filters that templates know."""
    own = {"attr": _attr, "join": _join, "safe": _safe, "tojson": _tojson}
    return {name: _filter(name, each) for name, each in (FILTERS | own | MARKUP).items() if name not in _REMOVED}


def tests() -> dict[str, Any]:
    """Return the tests that templates know."""
    return {name: _test(name, each) for name, each in TESTS.items()}


def _filter(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    # Jinja2 passes the environment or context first where the filter asks for it.
    at = 1 if hasattr(filter_, "jinja_pass_arg") else 0
    check = _CHECKS.get(name)

    @wraps(filter_)
    def filtering(*args: Any, **named: Any) -> Any:
        passed, value, options = args[:at], args[at], args[at + 1 :]
        work(CALL)
        if name not in _AT_A_GLANCE:
            read((value, options, named))
        if name in _BY_ITEM:
            texts = sum(len(each) for each in (*options, *named.values()) if isinstance(each, str))
            value = _by_item(value, CALL + texts)
        if check is not None:
            check(value, *options, **named)
        return counted(filter_(*passed, value, *options, **named))

    return filtering


def _test(name: str, test: Any) -> Callable[..., Any]:
    @wraps(test)
    def testing(*args: Any, **named: Any) -> Any:
        work(CALL)
        if name in _READING_TESTS:
            read((args, named))
        return test(*args, **named)

    return testing


def _by_item(value: Any, each: int) -> Any:
    if isinstance(value, Iterator):
        return _consumed(value, each)
    if isinstance(value, Sized) and not isinstance(value, Undefined):
        work(len(value) * each)
    return value


def _consumed(items: Iterator[Any], each: int) -> Iterator[Any]:
    for item in items:
        work(each)
        yield item


def _check_indent(value: object, width: object = 4, *_: object, **__: object) -> None:
    check_number(width)
    spend((str(value).count("\n") + 2) * (width if isinstance(width, int) else len(str(width))))


def _check_replace(value: object, old: object, new: object, *_: object, **__: object) -> None:
    spend(str(value).count(str(old)) * len(str(new)))


def _check_wordwrap(value: object, width: int = 79, *options: object, **named: object) -> None:
    text = str(value)
    lines = len(text) // max(width, 1) + text.count("\n") + text.count(" ") + 1
    glue = max((len(each) for each in (*options, *named.values()) if isinstance(each, str)), default=1)
    spend(lines * glue)
    # It cuts the line from a chunk that is too long, and copies the rest; blanks are a chunk too.
    longest = max((found.end() - found.start() for found in _CHUNK.finditer(text)), default=0)
    work(len(text) * 40 + len(text.splitlines()) * LINE + longest * longest // max(width, 1) // 16)


def _check_urlize(value: object, *_: object, **__: object) -> None:
    # It looks at each word by itself, with several patterns.
    work(len(str(value).split()) * WORD)


def _check_striptags(value: object) -> None:
    text = str(value)
    # It copies the text anew for each tag.
    work(len(text) * text.count("<") // 8)


def _check_sum(_: object, attribute: object = None, start: object = 0) -> None:
    if not isinstance(start, int | float):
        raise LimitExceeded("sum: adds numbers alone")


def _check_format(value: object, *args: object, **named: object) -> None:
    check_format(str(value), named or args)


def _check_count(_: object, number: object = 0, *__: object, **named: object) -> None:
    for each in (number, *named.values()):
        check_number(each)


_CHECKS: dict[str, Callable[..., None]] = {
    "batch": _check_count,
    "center": _check_count,
    "format": _check_format,
    "indent": _check_indent,
    "replace": _check_replace,
    "round": _check_count,
    "slice": _check_count,
    "striptags": _check_striptags,
    "sum": _check_sum,
    "urlize": _check_urlize,
    "wordwrap": _check_wordwrap,
}


@pass_environment
def _attr(environment: "PiecesEnvironment", value: object, name: str) -> object:
    return environment.discreet(do_attr(environment, value, name), name)


@pass_environment
def _join(environment: Environment, value: Iterable[Any], d: object = "", attribute: str | int | None = None) -> str:
    """Join items as text; Jinja2's own cannot be stopped half-way."""
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    glue, texts = str(d), []
    for item in items:
        texts.append(str(item))
        spend(len(texts[-1]) + len(glue))
    return glue.join(texts)


def _safe(value: object) -> str:
    """Say of a text that it is escaped already; of what a macro made it is known."""
    return value if isinstance(value, Captured) else Escaped(value)


def _tojson(value: object, indent: int | None = None) -> Json:
    """Write a value as JSON; one that is not there is the error it is everywhere else."""
    read(value, defined=True)
    listed = list(value) if isinstance(value, Iterator) else value
    text = as_json(listed) if indent is None else _indented(listed, indent)
    if text is None:
        raise TemplateRuntimeError(f"tojson: {type(value).__name__} is nothing that JSON knows")
    return Json(text)


def _indented(value: object, indent: int) -> str | None:
    check_number(indent)
    if as_json(value) is None:
        return None
    written = []
    for part in json.JSONEncoder(ensure_ascii=False, indent=int(indent)).iterencode(value):
        spend(len(part))
        written.append(part)
    return "".join(written)
