"""What is data to a template, and how it is written: as JSON, or as text.

Data is a text, number, true, false or null, and a list or mapping of data. An object of ours (an event, its summary, a
change) is a mapping of its public fields where it is written as JSON. A method, a macro or a range is none of these:
what Python writes of it is of no use to a receiver.
"""

import json
import math
from collections.abc import Mapping
from functools import cached_property
from types import ModuleType
from typing import Any

from jinja2 import TemplateRuntimeError, Undefined
from jinja2.environment import TemplateModule
from jinja2.runtime import LoopContext, Macro
from jinja2.utils import Namespace
from msgspec import Struct

_NOTHING: dict[None, None] = {}
VIEWS = (type(_NOTHING.keys()), type(_NOTHING.values()), type(_NOTHING.items()))
"""What the methods keys, values and items of a mapping give: lists to a template."""

LISTS = (list, tuple, *VIEWS)
_KEYS = (str, int, float, bool, type(None))
"""What JSON can write as the name of a member."""

_OBJECT = "an object; print one of its fields, or all of them with tojson"
_OTHERS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (Macro, "a macro; call it"),
    ((TemplateModule, ModuleType), "an imported template; call one of its macros"),
    (LoopContext, "a loop; print one of its fields, such as loop.index"),
    (range, "a range; make a list of it with the filter list"),
    (Namespace, "a namespace; print one of its fields"),
    (float, "a number that JSON does not know"),
    (dict, "a mapping with a name that JSON does not know"),
    (Struct, _OBJECT),
)


class NotData(TemplateRuntimeError):
    """Raised inside a template that writes what is not data; rendering makes a value of it."""


def members(value: Struct) -> dict[str, Any]:
    """Return an object of ours as a mapping: its fields, then its public properties; _HIDDEN names those left out."""
    kind = type(value)
    hidden: frozenset[str] = getattr(kind, "_HIDDEN", frozenset())
    public = ((name, each) for name, each in vars(kind).items() if name[0] != "_")
    properties = (name for name, each in public if isinstance(each, property | cached_property))
    return {name: getattr(value, name) for name in (*kind.__struct_fields__, *properties) if name not in hidden}


def not_data(value: object) -> str | None:
    """Say what a value is that is not data, and what can be done about it; None of data, whatever that holds."""
    match value:
        case str() | int() | None:
            return None
        case float() if math.isfinite(value):
            return None
        case dict() if all(isinstance(key, _KEYS) for key in value):
            return None
        case _ if isinstance(value, LISTS):
            return None
    for kind, words in _OTHERS:
        if isinstance(value, kind):
            return words
    return "a function; call it" if callable(value) else f"a {type(value).__name__}"


def as_json(value: object) -> str | None:
    """Write a value as JSON, UTF-8 kept, an object of ours as its members; None if JSON does not know it."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=known_to_json)
    except (TypeError, ValueError, RecursionError):
        return None


def known_to_json(value: object) -> object:
    """Return what stands for a value in JSON that Python's encoder does not know; raises TypeError."""
    if isinstance(value, Struct):
        return members(value)
    if isinstance(value, VIEWS):
        return list(value)
    raise TypeError(type(value).__name__)


def as_text(value: object) -> str:
    """Write a value where there is no JSON around it; raises NotData.

    Null is empty, and so is what an `if` without an `else` gives; a list or mapping is JSON, true is true.
    """
    if isinstance(value, str | Undefined):
        return str(value)
    if value is None:
        return ""
    if (what := not_data(value)) is not None:
        raise NotData(f"what is written as text is {what}")
    if (text := as_json(value)) is None:
        raise NotData(f"what is written as text is a {type(value).__name__} that JSON does not know")
    return text


class _Said:
    """A value in a format, such as "%s": as text where text is wanted."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return as_text(self._value)


def formattable(values: object) -> Any:
    """Return the values of a format so that %s writes each as text; a number stays one."""
    match values:
        case tuple():
            return tuple(map(_said, values))
        case Mapping():
            return {name: _said(value) for name, value in values.items()}
        case _:
            return _said(values)


def _said(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number or isinstance(value, str) else _Said(value)
