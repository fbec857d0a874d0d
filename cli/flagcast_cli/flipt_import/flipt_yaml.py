"""YAML as Flipt reads it: by Go's yaml.v3, which takes the same characters for other values than Python does.

https://github.com/yaml/go-yaml/blob/v3.0.4/resolve.go; tests/oracle/loader has Go's answers.
"""

import re
from datetime import date
from math import isinf
from typing import Any

from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flagcast.config.yaml_document import Loader

_TAG = "tag:yaml.org,2002:"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NO_NUMBERS = {
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"([Tt]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?)?",
    re.ASCII,
)


class Time(Struct, frozen=True):
    """A date or time, which Flipt takes for no text and no number."""

    written: str


def scalar(written: str) -> Any:
    """Return what a value without quotes is."""
    if written in _NULL:
        return None
    if (known := _BOOLEANS.get(written, _NO_NUMBERS.get(written))) is not None:
        return known
    if _is_time(written):
        return Time(written)
    number = _number(written.replace("_", "")) if written[0] in "+-.0123456789" else None
    return written if number is None else number


def _number(digits: str) -> int | float | None:
    if _INTEGER.fullmatch(digits) and digits.lstrip("+-").lower() not in ("0o", "0b", "0x"):
        number = _integer(digits)
        if -(2**63) <= number < 2**64:
            return number
    if _FLOAT.fullmatch(digits) and not isinf(found := float(digits)):
        return found
    return None


def _integer(digits: str) -> int:
    plain = digits.lstrip("+-").lower()
    # A leading 0 is octal to Go.
    base = {"0x": 16, "0b": 2, "0o": 8}.get(plain[:2], 8 if plain[0] == "0" else 10)
    number = int(plain, base)
    return -number if digits[0] == "-" else number


def _is_time(written: str) -> bool:
    if (found := _TIME.fullmatch(written)) is None:
        return False
    try:
        date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True


class GoLoader(Loader):  # type: ignore[misc]  # PyYAML's, which has no types
    """The first document of a text, its values as yaml.v3 makes them."""

    def get_single_node(self) -> Node | None:
        """Return the first document; yaml.v3 does not look at what follows."""
        return self.get_node() if self.check_node() else None

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        """Return the tag of a node that is written without one."""
        if kind is not ScalarNode or not implicit[0]:
            return str(super().resolve(kind, value, implicit))
        return f"{_TAG}merge" if value == "<<" else f"{_TAG}flagcast"


def _constructed(loader: Any, node: ScalarNode) -> Any:
    return scalar(node.value)


def _tagged(loader: Any, suffix: str, node: Node) -> Any:
    """Make a value of a tag that no one knows: as if it were not there, a text as if it were quoted."""
    if isinstance(node, MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, SequenceNode) else node.value


def _binary(loader: Any, node: ScalarNode) -> str:
    return bytes(loader.construct_yaml_binary(node)).decode(errors="replace")


for _tag in ("flagcast", "int", "float", "null", "bool", "timestamp"):
    GoLoader.add_constructor(f"{_TAG}{_tag}", _constructed)
GoLoader.add_constructor(f"{_TAG}binary", _binary)
# A merge key where no mapping is merged, such as a value.
GoLoader.add_constructor(f"{_TAG}merge", lambda _, node: node.value)
GoLoader.add_multi_constructor("!", _tagged)
