"""Plain values to the typed model, collecting every problem instead of stopping at the first."""

import re
from collections.abc import Collection, Iterable
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct, structs

from flagcast.config.model import Problem, convert
from flagcast.config.value_path import item, join
from flagcast.events.event_filter import NOUNS, VERBS, EventFilter
from flagcast.primitives.duration import Duration
from flagcast.primitives.rate import Rate
from flagcast.primitives.value_display import kind_of

_ALLOWED = {bool: "true or false", int: "a whole number", float: "a number"}
_LENGTH = r"(\d{1,5})\s*(ms|[smhd])(?:ec|in|rs?|ays?|our|econd|inute)?s?"
_FREQUENCY = r"([1-9]\d{0,5})\s*(?:/|per)\s*(?:1\s*)?([smh])(?:ec|in|r|our|econd|inute)?"
"""How people write durations and rates otherwise: 10 s, 5min, 1d; 50 / s, 30 per minute."""
_UNQUOTED = {bool: "true|false|yes|no|on|off", int: r"\d+", float: r"\d+(\.\d+)?"}
"""What YAML reads as these kinds, but for the quotes. None of these is compiled where nothing is wrong."""
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,19}")
"""What is shown of a text that is not allowed: a word. Anything else may be a secret in the wrong place."""
NOTHING = "has no value: give it one, or delete the key"
"""A key whose value is commented away must not take a safeguard of a preset, or of the defaults, with it."""


def decode_fields(model: type[Struct], tree: object, path: str) -> tuple[dict[str, Any], list[Problem]]:
    """Decode a mapping by a model's fields; returns those that are right, and a problem for each that is not."""
    if not isinstance(tree, dict):
        return {}, [not_a(path, "a mapping", tree)]
    fields = {each.name: each for each in structs.fields(model)}
    values: dict[str, Any] = {}
    unknown = [key for key in tree if key not in fields]
    problems = [_unknown(join(path, key), key, fields) for key in unknown]
    meant_keys = probably_meant(unknown, fields)
    for name, each in fields.items():
        here = join(path, name)
        if name in tree:
            value, found = _decode(each.type, tree[name], here)
            problems += found
            # What is right of a mapping is still held against the rest.
            if not found or isinstance(value, Struct):
                values[name] = value
        elif each.required and name not in meant_keys:
            problems.append(Problem(here, "is required"))
    return values, problems


def not_a(path: str, expected: str, value: object) -> Problem:
    """Say that a value is of another kind, by its kind alone: a secret may have been put in the wrong place."""
    return Problem(path, NOTHING if value is None else f"expected {expected}, got {kind_of(value)}")


def meant(value: object, options: Iterable[str]) -> str:
    """Return the question that names the option closest to what was written; empty where none is close."""
    close = probable(value, options)
    return f"did you mean {close}?" if close else ""


def probable(value: object, options: Iterable[str]) -> str | None:
    """Return the option that was probably meant by what is none of them; None where none is close."""
    return _closest(value, options, 0.6) if isinstance(value, str) else None


def probably_meant(keys: Iterable[object], fields: Collection[str]) -> set[str | None]:
    """Return the fields that those keys were probably meant for that are none."""
    return {probable(key, fields) for key in keys if key not in fields}


def _closest(text: str, options: Iterable[str], at_least: float) -> str | None:
    import difflib  # Not at the top: a function whose configuration is right never needs it.

    by_folded = {each.lower(): each for each in options}
    close = difflib.get_close_matches(text[:100].lower(), by_folded, n=1, cutoff=at_least)
    return by_folded[close[0]] if close else None


def _decode(kind: Any, value: Any, path: str) -> tuple[Any, list[Problem]]:
    if value is None:
        return None, [Problem(path, NOTHING)]
    if get_origin(kind) in (Union, UnionType):
        kind = next(member for member in get_args(kind) if member is not NoneType)
    if isinstance(kind, type) and issubclass(kind, Struct):
        values, problems = decode_fields(kind, value, path)
        is_whole = all(each.name in values for each in structs.fields(kind) if each.required)
        return (kind(**values) if is_whole else None), problems
    match get_origin(kind), value:
        case (origin, list()) if origin is tuple:
            return _decode_items(get_args(kind)[0], value, path)
        case (origin, _) if origin is tuple:
            hint = "put it in [ ]" if isinstance(value, str) or _is_scalar(value) else ""
            return None, [structs.replace(not_a(path, "a list", value), hint=hint)]
        case (origin, dict()) if origin is dict:
            return _decode_members(get_args(kind)[1], value, path)
        case (origin, _) if origin is dict:
            return None, [not_a(path, "a mapping", value)]
        case (origin, _) if origin is Literal:
            options = get_args(kind)
            return (value, []) if value in options else (None, [_no_option(path, value, options)])
    try:
        return convert(value, kind), []
    except msgspec.ValidationError as error:
        return None, [_wrong(kind, value, path, error)]


def _decode_items(kind: Any, items: list[Any], path: str) -> tuple[Any, list[Problem]]:
    decoded = [_decode(kind, each, item(path, index)) for index, each in enumerate(items)]
    return tuple(value for value, _ in decoded), [problem for _, found in decoded for problem in found]


def _decode_members(kind: Any, members: dict[Any, Any], path: str) -> tuple[Any, list[Problem]]:
    decoded = {key: _decode(kind, member, join(path, key)) for key, member in members.items()}
    problems = [problem for _, found in decoded.values() for problem in found]
    problems += [
        Problem(join(path, key), "expected a string as key; quote it", is_key=True)
        for key in members
        if type(key) is not str
    ]
    return {key: value for key, (value, _) in decoded.items()}, problems


def _unknown(path: str, key: object, fields: Iterable[str]) -> Problem:
    hint = meant(key, fields) or f"expected one of {', '.join(fields)}"
    return Problem(path, "unknown key", hint, is_key=True)


def _no_option(path: str, value: object, options: tuple[str, ...]) -> Problem:
    return Problem(path, f"{_shown(value)} is not allowed; use {_or(options)}", meant(value, options))


def _wrong(kind: Any, value: object, path: str, error: msgspec.ValidationError) -> Problem:
    if kind is str:
        return Problem(path, f"expected a string, got {kind_of(value)}", "quote it" if _is_scalar(value) else "")
    if kind in _ALLOWED:
        is_quoted = isinstance(value, str) and _written(_UNQUOTED[kind], value) is not None
        hint = "write it without quotes" if is_quoted else ""
        return Problem(path, f"{_shown(value)} is not allowed; use {_ALLOWED[kind]}", hint)
    return Problem(path, str(error), _fitting(kind, value))


def _fitting(kind: Any, value: object) -> str:
    """Return the question whether something close to a value was meant that would be right."""
    is_number = type(value) in (int, float) and bool(value)
    if kind is Duration and is_number:
        return f"did you mean {value}s?"
    if kind is Rate and is_number:
        return f"did you mean {value}/s?"
    if kind is Duration and isinstance(value, str) and (found := _written(_LENGTH, value)):
        number, unit = found[1], found[2].lower()
        return f"did you mean {f'{int(number) * 24}h' if unit == 'd' else number + unit}?"
    if kind is Rate and isinstance(value, str) and (found := _written(_FREQUENCY, value)):
        return f"did you mean {found[1]}/{found[2].lower()}?"
    if kind is EventFilter and isinstance(value, str):
        noun, _, verb = value.partition(":")
        meant_noun, meant_verb = _closest(noun, ("*", *NOUNS), 0.75), _closest(verb or "*", ("*", *VERBS), 0.75)
        return f"did you mean {meant_noun}:{meant_verb}?" if meant_noun and meant_verb else ""
    return ""


def _written(pattern: str, value: str) -> re.Match[str] | None:
    return re.fullmatch(pattern, value.strip(), re.ASCII | re.IGNORECASE)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"' if _WORD.fullmatch(value) else kind_of(value)
    return str(value).lower() if _is_scalar(value) else kind_of(value)


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool | int | float)


def _or(options: tuple[str, ...]) -> str:
    return " or ".join([", ".join(options[:-1]), options[-1]]) if len(options) > 1 else options[0]
