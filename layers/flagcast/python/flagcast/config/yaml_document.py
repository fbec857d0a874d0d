"""YAML text to plain values, with repeated keys found (YAML itself keeps the last of them silently)."""

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flagcast.config.model import MOST_VALUES, Problem
from flagcast.config.value_path import item, join
from flagcast.errors import ConfigurationUnreadable
from flagcast.primitives.text_position import TextPosition

# libyaml where the wheel carries it: the pure loader takes 20 times as long.
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str, kind: Any = Loader) -> tuple[Any, list[Problem]]:
    """Read a YAML document; returns its value and a problem for each repeated key.

    `kind` is a loader of PyYAML's. Raises ConfigurationUnreadable if the text is not YAML, with line and column.
    """
    loader = kind(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, []
        if _size(node, {}) > MOST_VALUES:
            raise _unreadable(f"its aliases expand to more than {MOST_VALUES:,} values")
        repeated = _repeated_keys(node, "", set())  # Before the values are made, which writes merged keys out.
        return loader.construct_document(node), repeated
    except yaml.YAMLError as error:
        raise _unreadable(*_said(text, error)) from error
    except (ValueError, RecursionError) as error:
        # What the loader makes of a value of a special kind, such as a date that does not exist, is not told by its
        # message: that would quote it.
        what = "nested too deeply" if isinstance(error, RecursionError) else "a number or date that is not valid"
        raise _unreadable(what) from error
    finally:
        loader.dispose()


def compose(text: str) -> Node | None:
    """Return the nodes of a document that `load` can read, which know where they are."""
    loader = Loader(text)
    try:
        node: Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def _size(node: Node, known: dict[int, int]) -> int:
    """Count the values of a document with its aliases written out; each node is looked at once."""
    if (found := known.get(id(node))) is not None:
        return found
    match node:
        case MappingNode():
            below = [_size(value, known) for _, value in node.value]
        case SequenceNode():
            below = [_size(each, known) for each in node.value]
        case _:
            below = []
    known[id(node)] = size = 1 + sum(below)
    return size


def _repeated_keys(node: Node, path: str, seen: set[int]) -> list[Problem]:
    found: list[Problem] = []
    if id(node) in seen:
        return found  # An alias: told where its anchor is.
    seen.add(id(node))
    match node:
        case MappingNode():
            first_line: dict[str, int] = {}
            for key, value in node.value:
                name = key.value if isinstance(key, ScalarNode) else "?"
                here = join(path, name)
                line, column = key.start_mark.line + 1, key.start_mark.column + 1
                if name in first_line:
                    said = f"repeated on line {line}, first on line {first_line[name]}"
                    found.append(Problem(here, said, is_key=True, spot=TextPosition("", line, column)))
                first_line.setdefault(name, line)
                found += _repeated_keys(value, here, seen)
        case SequenceNode():
            for index, each in enumerate(node.value):
                found += _repeated_keys(each, item(path, index), seen)
    return found


def _unreadable(what: str, line: int = 0, column: int = 0) -> ConfigurationUnreadable:
    return ConfigurationUnreadable(Problem("", f"not YAML: {what}", spot=TextPosition("", line, column)))


def _said(text: str, error: yaml.YAMLError) -> tuple[str, int, int]:
    """Return what is wrong, without a value, and its line and column; 0 where they are not known."""
    if isinstance(error, yaml.reader.ReaderError) and (found := yaml.reader.Reader.NON_PRINTABLE.search(text)):
        before = text[: found.start()]
        return "a control character", before.count("\n") + 1, len(before) - before.rfind("\n")
    said = str(getattr(error, "problem", None) or "unreadable")
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    written = "".join(text.split("\n")[line - 1 : line])
    if line and written[:column].lstrip(" ").startswith("\t"):
        said += "; it is a tab, and YAML indents with spaces"
    return said, line, column
