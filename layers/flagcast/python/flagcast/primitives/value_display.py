"""A value of the configuration as a message may show it."""

_KINDS = {dict: "a mapping", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
_LONGEST = 40


def kind_of(value: object) -> str:
    """Name the kind of a value of YAML; all that is shown where it may be a secret in the wrong place."""
    return "nothing" if value is None else _KINDS.get(type(value), f"a {type(value).__name__}")


def shown(value: object) -> str:
    """Show a short value as it is, and any other by its kind: what anchors repeat may be endless."""
    if isinstance(value, bool):
        return str(value).lower()
    is_short = isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _LONGEST)
    return repr(value) if is_short else kind_of(value)
