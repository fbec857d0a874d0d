"""One value of a payload as people write it."""

import json
from typing import Any, Final

from flagcast.flipt_state.stored_state import is_digest
from flagcast.primitives.line_of_text import line, shorten

LONGEST_NAME: Final = 100
LONGEST_QUOTE: Final = 60
"""Characters of a value inside of a sentence."""

ARROW: Final = " → "
NOTHING: Final = "none"

_MEANINGS: Final = {
    "ALL_MATCH_TYPE": "every constraint",
    "ANY_MATCH_TYPE": "any constraint",
    "STRING_COMPARISON_TYPE": "string",
    "NUMBER_COMPARISON_TYPE": "number",
    "BOOLEAN_COMPARISON_TYPE": "boolean",
    "DATETIME_COMPARISON_TYPE": "date and time",
    "ENTITY_ID_COMPARISON_TYPE": "entity",
    "UNKNOWN_COMPARISON_TYPE": "",
}
"""Flipt's enumerations, from its rpc/flipt/flipt.proto."""

_OPERATORS: Final = {
    "eq": "is",
    "neq": "is not",
    "lt": "is less than",
    "lte": "is at most",
    "gt": "is more than",
    "gte": "is at least",
    "empty": "is empty",
    "notempty": "is not empty",
    "true": "is true",
    "false": "is false",
    "present": "is present",
    "notpresent": "is not present",
    "prefix": "begins with",
    "suffix": "ends with",
    "isoneof": "is one of",
    "isnotoneof": "is not one of",
    "contains": "contains",
    "notcontains": "does not contain",
}
"""Flipt's operators, from its rpc/flipt/operators.go."""

_OF_TIMES: Final = {
    "lt": "is before",
    "lte": "is at or before",
    "gt": "is after",
    "gte": "is at or after",
}
_WITHOUT_VALUE: Final = frozenset({"empty", "notempty", "true", "false", "present", "notpresent"})
_LISTS: Final = frozenset({"isoneof", "isnotoneof"})
_GLUE: Final = {"AND_SEGMENT_OPERATOR": " and ", "OR_SEGMENT_OPERATOR": " or "}


def said(value: object) -> str:
    """Write one value as people do; what holds other values, or nothing, says nothing."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case dict() if is_digest(value):
            return size(value["bytes"])
        case _:
            return ""


def meaning(value: object) -> str:
    """Write one of Flipt's enumerations."""
    return _MEANINGS.get(text := said(value), text)


def yes_or_no(value: object) -> str:
    """Write a switch; what is no switch as any other value."""
    return ("yes" if value else "no") if isinstance(value, bool) else said(value)


def percent(value: object) -> str:
    """Write a share."""
    return f"{text} %" if (text := said(value)) else ""


def size(length: int) -> str:
    """Write a length in bytes."""
    if length < 1_000:
        return f"{length} byte{'s' if length != 1 else ''}"
    return f"{length / 1_000:.0f} kB" if length < 1_000_000 else f"{length / 1_000_000:.1f} MB"


def segments(keys: object, operator: object) -> str:
    """Write which segments: Flipt sends several as one text with commas (1.58.2 and later)."""
    named = [key for key in said(keys).split(",") if key]
    return _GLUE.get(said(operator), ", ").join(named)


def constraint(state: dict[str, Any]) -> str:
    """Write what a constraint asks: age is not 0, country is one of DE, FR."""
    operator, value = said(state.get("operator")), said(state.get("value"))
    words = _OPERATORS.get(operator, operator)
    if state.get("type") == "DATETIME_COMPARISON_TYPE":
        words = _OF_TIMES.get(operator, words)
    if operator in _WITHOUT_VALUE:
        value = ""
    elif operator in _LISTS:
        value = _listed(value)
    return " ".join(part for part in (said(state.get("property")), words, value) if part)


def _listed(value: str) -> str:
    """Write the list that Flipt keeps as JSON; any other text as it is."""
    try:
        members = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return ", ".join(map(said, members)) if isinstance(members, list) else value


def mapping(value: object) -> dict[str, Any]:
    """Return a mapping as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def name(text: str, longest: int = LONGEST_NAME) -> str:
    """Write a name on one line, shortened."""
    return shorten(line(text), longest)


def quoted(text: str) -> str:
    """Write a text of many words inside of a sentence: it cannot end its quotes."""
    return f"“{name(text.replace('“', '"').replace('”', '"'), LONGEST_QUOTE)}”"


def listed(words: list[str]) -> str:
    """Write a, b and c."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
