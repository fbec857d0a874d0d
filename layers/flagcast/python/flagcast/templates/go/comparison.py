"""How text/template compares: https://pkg.go.dev/text/template#hdr-Functions."""

from flagcast.templates.go.values import NOTHING, Byte, Pointer, Record, TemplateFailed, looked_at, type_of

_KINDS = ((bool, "bool"), (Byte, "uint"), (int, "int"), (float, "float"), (complex, "complex"), (str, "string"))
_ORDERED = ("int", "uint", "float", "string")
_WHOLE = {"int", "uint"}


def equal(left: object, right: object) -> bool:
    """Return whether two values of one kind are equal; a nil is, to a nil. Raises TemplateFailed for two kinds."""
    left, right = looked_at(left), looked_at(right)
    kinds = _kind(left), _kind(right)
    if kinds[0] is not kinds[1] and set(kinds) != _WHOLE:
        if NOTHING in (left, right):
            return False
        raise TemplateFailed(f"incompatible types for comparison: {type_of(left)} and {type_of(right)}")
    if kinds[0] is not None:
        return left == right
    return _same(left, right)


def _same(left: object, right: object) -> bool:
    """Compare what has no order: nils, pointers, structs; maps and slices cannot be."""
    if _is_nil(left) or _is_nil(right):
        if type(left) is not type(right) and NOTHING not in (left, right):
            raise TemplateFailed(f"non-comparable types {type_of(left)} and {type_of(right)}")
        return _is_nil(left) and _is_nil(right)
    if type(left) is not type(right) or isinstance(right, list | dict):
        raise TemplateFailed(f"non-comparable type {type_of(right)}")
    if isinstance(left, Record) and isinstance(right, Record) and left.kind == right.kind:
        for value in left.fields.values():
            if isinstance(value, list | dict):
                raise TemplateFailed(f"comparing uncomparable type {type_of(value)}")
    return left == right


def _is_nil(value: object) -> bool:
    return value is NOTHING or (isinstance(value, Pointer) and value.record is None)


def less(left: object, right: object) -> bool:
    """Return whether a number or string is less than another of its kind; raises TemplateFailed for any else."""
    left, right = looked_at(left), looked_at(right)
    kinds = _kind(left), _kind(right)
    if None in kinds:
        raise TemplateFailed("invalid type for comparison")
    if kinds[0] != kinds[1] and set(kinds) != _WHOLE:
        raise TemplateFailed(f"incompatible types for comparison: {type_of(left)} and {type_of(right)}")
    if kinds[0] not in _ORDERED:
        raise TemplateFailed("invalid type for comparison")
    return bool(left < right)  # type: ignore[operator]  # both are of one kind that has an order


def _kind(value: object) -> str | None:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), None)
