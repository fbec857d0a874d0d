"""Plain values to the typed model, collecting every problem instead of stopping at the first."""

import difflib
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct, structs

from flagcast.core.config.model import Problem, convert
from flagcast.core.config.paths import item, join

_KINDS = {dict: "mapping", list: "list", str: "string", bool: "boolean", int: "number", float: "number"}


def decode_fields(model: type[Struct], tree: object, path: str) -> tuple[dict[str, Any], list[Problem]]:
    """Decode a mapping by a model's fields; returns those that are right, and a problem for each that is not."""
    if not isinstance(tree, dict):
        return {}, [Problem(path, f"expected a mapping, got {_shown(tree)}")]
    fields = {each.name: each for each in structs.fields(model)}
    values: dict[str, Any] = {}
    problems = [Problem(join(path, key), _unknown(key, fields)) for key in tree if key not in fields]
    for name, each in fields.items():
        here = join(path, name)
        if name in tree:
            value, found = _decode(each.type, tree[name], here)
            if found:
                problems += found
            else:
                values[name] = value
        elif each.required:
            problems.append(Problem(here, "is required"))
    return values, problems


def _decode(kind: Any, value: Any, path: str) -> tuple[Any, list[Problem]]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        values, problems = decode_fields(kind, value, path)
        return (None, problems) if problems else (kind(**values), [])
    if get_origin(kind) in (Union, UnionType) and value is not None:
        kind = next(member for member in get_args(kind) if member is not NoneType)
    match get_origin(kind), value:
        case (origin, list()) if origin is tuple:
            return _decode_items(get_args(kind)[0], value, path)
        case (origin, _) if origin is tuple:
            return None, [Problem(path, f"expected a list, got {_shown(value)}")]
        case (origin, dict()) if origin is dict:
            return _decode_members(get_args(kind)[1], value, path)
        case (origin, _) if origin is Literal:
            options = get_args(kind)
            if value not in options:
                return None, [Problem(path, f"expected {' or '.join(options)}, got {_shown(value)}")]
    try:
        return convert(value, kind), []
    except msgspec.ValidationError as error:
        return None, [Problem(path, str(error))]


def _decode_items(kind: Any, items: list[Any], path: str) -> tuple[Any, list[Problem]]:
    decoded = [_decode(kind, each, item(path, index)) for index, each in enumerate(items)]
    return tuple(value for value, _ in decoded), [problem for _, found in decoded for problem in found]


def _decode_members(kind: Any, members: dict[Any, Any], path: str) -> tuple[Any, list[Problem]]:
    decoded = {key: _decode(kind, member, join(path, key)) for key, member in members.items()}
    problems = [problem for _, found in decoded.values() for problem in found]
    problems += [
        Problem(join(path, key), "expected a string as key; quote it") for key in members if type(key) is not str
    ]
    return {key: value for key, (value, _) in decoded.items()}, problems


def _unknown(key: object, fields: dict[str, Any]) -> str:
    close = difflib.get_close_matches(str(key), fields, n=1)
    return f"unknown key; did you mean {close[0]}?" if close else f"unknown key; expected one of {', '.join(fields)}"


def _shown(value: object) -> str:
    """Name what stands there by its kind alone: a secret may have been put in the wrong place."""
    return "nothing" if value is None else f"a {_KINDS.get(type(value), type(value).__name__)}"
