"""Jinja2's filters and tests, bounded: each says what it is about to look at and to make."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from functools import wraps
from typing import Any

from jinja2 import Undefined, pass_environment, pass_eval_context
from jinja2.environment import Environment
from jinja2.filters import FILTERS, do_attr, do_replace, make_attrgetter
from jinja2.nodes import EvalContext
from jinja2.tests import TESTS

from flagcast.templates.data import NotData, as_json, as_text, formattable, known_to_json
from flagcast.templates.jinja.unknown_names import DiscreetEnvironment
from flagcast.templates.json_escaping import Captured, Escaped, Formed, Json
from flagcast.templates.limits import CALL, LimitExceeded, check_format, check_number, counted, read, spend, work
from flagcast.templates.markup import FILTERS as MARKUP

_REMOVED = frozenset({"pprint", "random", "xmlattr"})
"""What is for Python alone, a body that differs at each attempt, and what is for HTML alone."""

_AT_A_GLANCE = frozenset({"attr", "count", "d", "default", "first", "last", "length"})
"""Filters that do not look at all that a value holds."""

_BY_ITEM = frozenset({
    "batch", "dictsort", "groupby", "join", "list", "map", "max", "min", "reject", "rejectattr", "reverse",
    "select", "selectattr", "slice", "sort", "sum", "unique",
})  # fmt: skip
"""Filters that do something with each item, or character."""

_OF_TEXT = frozenset({
    "capitalize", "center", "e", "escape", "forceescape", "format", "indent", "lower", "replace", "string", "striptags",
    "title", "trim", "truncate", "upper", "urlencode", "urlize", "wordcount", "wordwrap", *MARKUP,
})  # fmt: skip
"""Filters that take a text: what is none is written as text first."""

_GIVING_WHAT_IS_THERE = frozenset({"attr", "d", "default", "first", "last", "max", "min", "string"})
"""Filters that choose a text, or say that one is meant, and form none."""

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
    own = {"attr": _attr, "format": _format, "join": _join, "replace": _replace}
    own |= {"safe": _safe, "tojson": _tojson}
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
        if name in _OF_TEXT and not isinstance(value, str | Undefined):
            value = _pairs(value) if name == "urlencode" and isinstance(value, Iterable) else as_text(value)
        if name in _BY_ITEM:
            texts = sum(len(each) for each in (*options, *named.values()) if isinstance(each, str))
            value = _by_item(value, CALL + texts)
        if check is not None:
            check(value, *options, **named)
        made = counted(filter_(*passed, value, *options, **named))
        return Formed(made) if type(made) is str and name not in _GIVING_WHAT_IS_THERE else made

    return filtering


def _test(name: str, test: Any) -> Callable[..., Any]:
    @wraps(test)
    def testing(*args: Any, **named: Any) -> Any:
        work(CALL)
        if name in _READING_TESTS:
            read((args, named))
        return test(*args, **named)

    return testing


def _pairs(form: Iterable[Any]) -> list[tuple[str, str]]:
    """Return the fields of a form, each as text."""
    return [(as_text(name), as_text(value)) for name, value in (form.items() if isinstance(form, Mapping) else form)]


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
    # It copies the text again for each tag.
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
def _attr(environment: DiscreetEnvironment, value: object, name: str) -> object:
    return environment.discreet(do_attr(environment, value, name), name)


@pass_environment
def _join(environment: Environment, value: Iterable[Any], d: object = "", attribute: str | int | None = None) -> str:
    """Join items as text; Jinja2's own cannot be stopped half-way."""
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    glue, texts = as_text(d), []
    for item in items:
        texts.append(as_text(item))
        spend(len(texts[-1]) + len(glue))
    return glue.join(texts)


@pass_eval_context
def _replace(context: EvalContext, value: str, old: object, new: object, count: int | None = None) -> str:
    old, new = (each if isinstance(each, str) else as_text(each) for each in (old, new))
    return do_replace(context, value, old, new, count)


def _safe(value: object) -> object:
    """Say of a text that it is escaped already; of what a macro made it is known, and what is no text needs it not."""
    return Escaped(value) if isinstance(value, str) and not isinstance(value, Captured) else value


def _format(text: str, *values: object, **named: object) -> str:
    """Format as % does."""
    return str(text % formattable(named or values))


def _tojson(value: object, indent: int | None = None) -> Json:
    """Write a value as JSON; one that is not there is the error it is everywhere else."""
    listed = list(value) if isinstance(value, Iterator) else value
    read(listed, written=True)
    if (text := as_json(listed)) is None:
        raise NotData(f"tojson: a {type(listed).__name__} that JSON does not know")
    return Json(text if indent is None else _indented(listed, indent))


def _indented(value: object, indent: int) -> str:
    check_number(indent)
    written = []
    encoder = json.JSONEncoder(ensure_ascii=False, indent=int(indent), default=known_to_json)
    for part in encoder.iterencode(value):
        spend(len(part))
        written.append(part)
    return "".join(written)
