"""YAML text to plain values, with repeated keys found (YAML itself keeps the last of them silently)."""

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flagcast.core.config.model import Problem
from flagcast.core.config.paths import item, join
from flagcast.errors import ConfigurationUnreadable

# libyaml where the wheel carries it: the pure loader takes 20 times as long.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> tuple[Any, list[Problem]]:
    """Read a YAML document; returns its value and a problem for each repeated key.

    Raises ConfigurationUnreadable if the text is not YAML, with line and column.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        repeated = _repeated_keys(node, "") if node is not None else []
        return (loader.construct_document(node) if node is not None else None), repeated
    except yaml.YAMLError as error:
        raise ConfigurationUnreadable(f"not YAML: {_one_line(error)}") from error
    except (ValueError, RecursionError) as error:
        # What the loader makes of a value of a special kind, such as a date that does not exist, is not told by its
        # message: that would quote it.
        what = "nested too deeply" if isinstance(error, RecursionError) else "a number or date that is none"
        raise ConfigurationUnreadable(f"not YAML: {what}") from error
    finally:
        loader.dispose()


def _repeated_keys(node: Node, path: str) -> list[Problem]:
    found: list[Problem] = []
    match node:
        case MappingNode():
            first_line: dict[str, int] = {}
            for key, value in node.value:
                name = key.value if isinstance(key, ScalarNode) else "?"
                here = join(path, name)
                line = key.start_mark.line + 1
                if name in first_line:
                    found.append(Problem(here, f"repeated on line {line}, first on line {first_line[name]}"))
                first_line.setdefault(name, line)
                found += _repeated_keys(value, here)
        case SequenceNode():
            for index, each in enumerate(node.value):
                found += _repeated_keys(each, item(path, index))
    return found


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "unreadable"
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else what
