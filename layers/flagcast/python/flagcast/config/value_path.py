"""Where a value is in the file, written as people write it: ``destinations.team-slack.events[1]``."""

import ast
import re

_STEP = re.compile(r"""\.?([^.\[\]]+)|\[(\d+)\]|\[('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""")


def join(path: str, key: object) -> str:
    """Go down to a mapping's key; one that could be taken for more than a key is quoted."""
    name = str(key)
    if not name or set(name) & set(".[]"):
        return f"{path}[{name!r}]"
    return f"{path}.{name}" if path else name


def item(path: str, index: int) -> str:
    """Go down to a list's item."""
    return f"{path}[{index}]"


def below(path: str, part: str) -> str:
    """Go down to a part of a destination, as its templates are called: ``body``, ``headers.X-Key``."""
    key, _, name = part.partition(".")
    return join(join(path, key), name) if name else join(path, key)


def is_within(path: str, part: str) -> bool:
    """Return whether a path is that of a part, or of something in it."""
    return path == part or path.startswith((f"{part}.", f"{part}["))


def steps(path: str) -> list[str | int]:
    """Return the keys and indices of a path, as `join` and `item` put them together."""
    found: list[tuple[str, str, str]] = _STEP.findall(path)
    return [int(index) if index else str(ast.literal_eval(quoted)) if quoted else key for key, index, quoted in found]
