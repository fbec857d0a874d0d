"""Where each value of flagcast.yaml is: read when there is something to say of one, never by a function."""

from collections.abc import Iterator, Mapping
from typing import Self

from msgspec import Struct
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flagcast.config.value_path import item, join, steps
from flagcast.config.yaml_document import compose

_MERGE = "tag:yaml.org,2002:merge"
_CONSTRUCTOR = SafeConstructor()
"""Makes the value of a key, which paths are made of: YAML takes `on` for true, and 012 for 10."""


class Span(Struct, frozen=True, order=True):
    """From a line and column to the end on the same line, from 1; an end of 0 is the end of the line."""

    line: int
    column: int
    end: int = 0


class Entry(Struct, frozen=True):
    """A key and its value, or an item of a list, which has no key."""

    key: Span
    value: Span
    text: str | None = None
    """The value, where it is one text."""
    is_block: bool = False
    """The text begins on the next line, as after a `|`, and each of its lines is one of the file."""


class ValuePositions(Struct, frozen=True):
    """The entries of a file by their paths."""

    entries: Mapping[str, Entry]

    @classmethod
    def of(cls, text: str) -> Self:
        """Find the entries of a file that can be read."""
        node = compose(text)
        # The last of repeated keys is what YAML takes.
        return cls({} if node is None else dict(_entries(node, "")))

    def find(self, path: str) -> Entry | None:
        """Return what is at a path, else the closest thing that it should be in, by its key."""
        keys = steps(path)
        for length in range(len(keys), 0, -1):
            here = ""
            for key in keys[:length]:
                here = item(here, key) if isinstance(key, int) else join(here, key)
            if (found := self.entries.get(here)) is not None:
                return found if length == len(keys) else Entry(found.key, found.key)
        return None


def _entries(node: Node, path: str) -> Iterator[tuple[str, Entry]]:
    match node:
        case MappingNode():
            merged = [value for key, value in node.value if key.tag == _MERGE]
            for each in merged:  # First, as the mapping's own keys stand over what it merges.
                for one in each.value if isinstance(each, SequenceNode) else [each]:
                    yield from _entries(one, path)
            for key, value in node.value:
                if key.tag != _MERGE and isinstance(key, ScalarNode):
                    here = join(path, _CONSTRUCTOR.construct_object(key))
                    yield here, _entry(key, value)
                    yield from _entries(value, here)
        case SequenceNode():
            for index, each in enumerate(node.value):
                here = item(path, index)
                yield here, _entry(each, each)
                yield from _entries(each, here)


def _entry(key: Node, value: Node) -> Entry:
    if not isinstance(value, ScalarNode):
        return Entry(_span(key), _span(value))
    # A value that is not there is at its key: YAML puts it where the next thing begins.
    is_there = value.value != "" or bool(value.style)
    return Entry(_span(key), _span(value if is_there else key), value.value, is_block=value.style == "|")


def _span(node: Node) -> Span:
    start, end = node.start_mark, node.end_mark
    is_on_one_line = start.line == end.line and isinstance(node, ScalarNode)
    return Span(start.line + 1, start.column + 1, end.column + 1 if is_on_one_line else 0)
