"""Flipt's `toJson`: encoding/json's Marshal."""

import re
from collections.abc import Iterable

from flagcast.templates.go.numbers import json_float
from flagcast.templates.go.values import ACTOR, Pointer, Record, TemplateFailed, type_of
from flagcast.templates.limits import work

_NAMES = {**ACTOR, **{name: name.lower() for name in ("Version", "Type", "Action", "Metadata", "Actor", "Payload")}}
_NAMES |= {"Timestamp": "timestamp", "Status": "status"}
_VALUE = 250
"""How much work it is to write a value."""

_OMITTED_IF_EMPTY = {*ACTOR, "Actor"}
"""The `omitempty` of Flipt's structs."""

_SPECIAL = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')
_SHORT = {"\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}


def to_json(value: object) -> str:
    """Write a value as JSON, as https://pkg.go.dev/encoding/json#Marshal says; raises TemplateFailed."""
    work(_VALUE)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int():
            return str(int(value))
        case float():
            return json_float(value)
        case list():
            return f"[{','.join(map(to_json, value))}]"
        case dict():
            # Go sorts keys by their bytes, which is the order of code points.
            return _object((key, value[key]) for key in sorted(value))
        case Record():
            return _object(
                (_NAMES[name], field)
                for name, field in value.fields.items()
                if name not in _OMITTED_IF_EMPTY or (field.record is not None if isinstance(field, Pointer) else field)
            )
        case Pointer():
            return to_json(value.record)
        case _:
            raise TemplateFailed(f"error calling toJson: json: unsupported type: {type_of(value)}")


def _object(items: Iterable[tuple[str, object]]) -> str:
    return "{" + ",".join(f"{_string(name)}:{to_json(value)}" for name, value in items) + "}"


def _string(text: str) -> str:
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if "\ud800" <= character <= "\udfff":
        return r"\ufffd"
    return _SHORT.get(character) or f"\\u{ord(character):04x}"
