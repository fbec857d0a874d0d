"""The text of a YAML document to plain values: without PyYAML where it is JSON, which YAML includes.

A function reads its configuration and its presets at each cold start, and importing PyYAML takes longer than reading
them. So `make build` writes them as JSON (docs/decisions.md).
"""

import json
from collections.abc import Sequence
from typing import Any, Never

from flagcast.config.model import MOST_VALUES, Problem


def load(text: str) -> tuple[Any, list[Problem]]:
    """Read a document; returns its value and a problem for each repeated key.

    Raises ConfigurationUnreadable if the text is not YAML, with line and column.
    """
    if (value := from_json(text)) is not None:
        return value, []
    # Not at the top: a function whose documents are JSON never imports PyYAML.
    from flagcast.config import yaml_document

    return yaml_document.load(text)


def from_json(text: str) -> dict[str, Any] | None:
    """Return the value of a JSON object; None where YAML reads the text as something else, or finds a mistake in it."""
    # YAML folds lines at U+2028, and refuses control characters and the two halves of a surrogate pair.
    if not text.startswith("{") or not text.replace("\n", "").isprintable() or "\\ud" in text.lower():
        return None
    try:
        value: dict[str, Any] = json.loads(
            text, object_pairs_hook=_mapping, parse_float=_decimal, parse_constant=_other_number
        )
        return value if _size(value) <= MOST_VALUES else None
    except (ValueError, RecursionError):
        return None


def _mapping(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError("a repeated key")
    return mapping


def _decimal(number: str) -> float:
    """Read a number with a fraction; with an exponent it may be a text to YAML: https://yaml.org/type/float.html."""
    return _other_number(number) if "e" in number.lower() else float(number)


def _other_number(number: str) -> Never:
    raise ValueError("a number that YAML writes otherwise")


def _size(value: object) -> int:
    match value:
        case dict():
            return 1 + sum([_size(each) for each in value.values()])
        case list():
            return 1 + sum([_size(each) for each in value])
        case _:
            return 1
