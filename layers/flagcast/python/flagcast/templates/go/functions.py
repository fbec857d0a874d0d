"""The functions that a Flipt template may call: text/template's own, and Flipt's `toJson`.

https://pkg.go.dev/text/template#hdr-Functions and
https://github.com/flipt-io/flipt/blob/v1.61.0/internal/server/audit/template/executer.go
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from flagcast.templates.go.comparison import equal, less
from flagcast.templates.go.escaping import html, js, urlquery
from flagcast.templates.go.json_encoding import to_json
from flagcast.templates.go.printf import sprint, sprintf, sprintln
from flagcast.templates.go.values import (
    BYTES,
    NOTHING,
    Byte,
    Pointer,
    TemplateFailed,
    Texts,
    is_true,
    looked_at,
    type_of,
)
from flagcast.templates.limits import spend, work


class Function(Struct, frozen=True):
    """A function: what it does, how many arguments it takes, and whether they are interfaces.

    `most` is None where it takes any number. An argument that is an interface holds nil where there is nothing.
    """

    do: Callable[..., object]
    least: int
    most: int | None
    interfaces: bool = False
    text_first: bool = False


def _index(item: object, *indexes: object) -> object:
    item = looked_at(item)
    if item is NOTHING:
        raise TemplateFailed("index of untyped nil")
    for index in map(looked_at, indexes):
        if isinstance(item, Pointer) and item.members is not None:
            item = item.members
        match item:
            case None:
                raise TemplateFailed("index of nil pointer")
            case dict():
                if not isinstance(index, str):
                    raise TemplateFailed(f"value has type {type_of(index)}; should be string")
                item = item.get(index, "" if isinstance(item, Texts) else None)
            case list():
                item = item[_position(index, len(item) - 1)]
            case str():
                work(len(item))
                content = item.encode(*BYTES)
                item = Byte(content[_position(index, len(content) - 1)])
            case _:
                raise TemplateFailed(f"can't index item of type {type_of(item)}")
    return item


def _slice(item: object, *indexes: object) -> object:
    item = looked_at(item)
    if not isinstance(item, str | list):
        raise TemplateFailed(f"can't slice item of type {type_of(item)}")
    work(len(item))
    content = item.encode(*BYTES) if isinstance(item, str) else item
    if len(indexes) > 3:
        raise TemplateFailed(f"too many slice indexes: {len(indexes)}")
    if len(indexes) == 3 and isinstance(item, str):
        raise TemplateFailed("cannot 3-index slice a string")
    found = [_position(index, len(content)) for index in map(looked_at, indexes)]
    bounds = [*found, *(0, len(content))[len(found) :]]
    if sorted(bounds) != bounds:
        raise TemplateFailed("invalid slice index: they go down")
    part = content[bounds[0] : bounds[1]]
    return part.decode(*BYTES) if isinstance(part, bytes) else part


def _position(index: object, last: int) -> int:
    if not isinstance(index, int) or isinstance(index, bool):
        raise TemplateFailed(f"cannot index slice/array with type {type_of(index)}")
    if not 0 <= index <= last:
        raise TemplateFailed(f"index out of range: {index}")
    return index


def _length(item: object) -> int:
    match item:
        case str():
            work(len(item))
            return len(item.encode(*BYTES))
        case list() | dict():
            return len(item)
        case Pointer() if item.members is not None:
            return len(item.members)
        case _:
            raise TemplateFailed(f"len of type {type_of(item)}")


def _call(function: object, *_: object) -> object:
    raise TemplateFailed(f"error calling call: non-function of type {type_of(function)}")


def shown(value: object) -> object:
    """Return what Go prints of a value: what a pointer points to, and words where there is nothing."""
    if isinstance(value, Pointer) and value.record is not None:
        return value.record
    return "<no value>" if looked_at(value) is NOTHING else value


def _text(values: Iterable[object]) -> str:
    return str(sprint([shown(value) for value in values]))


def _escaping(escape: Callable[[str], str]) -> Callable[..., object]:
    def escaping(*values: object) -> str:
        return escape(_text(values))

    return escaping


def _to_json(value: object) -> str:
    text = to_json(value)
    spend(len(text))
    return text


def _not(value: object) -> bool:
    return not is_true(value)


def _equal(first: object, *others: object) -> bool:
    if not others:
        raise TemplateFailed("missing argument for comparison")
    return any(equal(first, other) for other in others)


FUNCTIONS = {
    "call": Function(_call, 1, None),
    "eq": Function(_equal, 1, None),
    "ge": Function(lambda left, right: not less(left, right), 2, 2),
    "gt": Function(lambda left, right: not (less(left, right) or equal(left, right)), 2, 2),
    "html": Function(_escaping(html), 0, None, interfaces=True),
    "index": Function(_index, 1, None),
    "js": Function(_escaping(js), 0, None, interfaces=True),
    "le": Function(lambda left, right: less(left, right) or equal(left, right), 2, 2),
    "len": Function(_length, 1, 1),
    "lt": Function(less, 2, 2),
    "ne": Function(lambda left, right: not equal(left, right), 2, 2),
    "not": Function(_not, 1, 1),
    "print": Function(lambda *values: sprint(values), 0, None, interfaces=True),
    "printf": Function(lambda text, *values: sprintf(text, values), 1, None, interfaces=True, text_first=True),
    "println": Function(lambda *values: sprintln(values), 0, None, interfaces=True),
    "slice": Function(_slice, 1, None),
    "toJson": Function(_to_json, 1, 1, interfaces=True),
    "urlquery": Function(_escaping(urlquery), 0, None, interfaces=True),
}
