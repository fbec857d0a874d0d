"""Where a value stands in the file, written as people write it: ``destinations.team-slack.events[1]``."""


def join(path: str, key: object) -> str:
    """Go down to a mapping's key; one that could be taken for more than a key is quoted."""
    name = str(key)
    if not name or set(name) & set(".[]"):
        return f"{path}[{name!r}]"
    return f"{path}.{name}" if path else name


def item(path: str, index: int) -> str:
    """Go down to a list's item."""
    return f"{path}[{index}]"


def is_within(path: str, part: str) -> bool:
    """Tell whether a path is that of a part, or of something in it."""
    return path == part or path.startswith((f"{part}.", f"{part}["))
