"""Values that stand for any other, to find out whether an expression could ever hold.

What is written in an expression is compared with what they are: a text of theirs equals every text. An expression that
holds for none of these, and for no sample, is mistyped.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from types import NoneType
from typing import Any

from msgspec import structs

from flagcast.events.change_context import Change, Known
from flagcast.events.event import Event
from flagcast.events.replay import Replay
from flagcast.exchange import response
from flagcast.exchange.response import Headers
from flagcast.flipt_state.changes import changes_between
from flagcast.summaries.field_labels import aspects_of
from flagcast.summaries.value_text import mapping

_PLAIN = (str, int, float, NoneType, list, dict)


class AnyText(str):
    """A text that equals, holds, begins and ends with every other."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        """Equal every value of JSON, and nothing that is none: a name that is not there has its own answer."""
        return True if isinstance(other, _PLAIN) else NotImplemented

    def __contains__(self, part: object) -> bool:
        """Hold everything."""
        return True

    __lt__ = __le__ = __gt__ = __ge__ = __eq__

    def startswith(self, *_: object) -> bool:
        """Begin with everything."""
        return True

    def endswith(self, *_: object) -> bool:
        """End with everything."""
        return True

    def lower(self) -> "AnyText":
        """Stay the same: another spelling is any text, too."""
        return self


ANY = AnyText("any")


class AnyJson(dict[str, Any]):
    """A JSON object in which every member is there, and has one value."""

    def __init__(self, member: object) -> None:
        """Keep the value."""
        super().__init__()
        self._member = member

    def __missing__(self, _: object) -> object:
        """Return the value, for any name."""
        return self._member

    def __contains__(self, _: object) -> bool:
        """Hold every member."""
        return True

    def get(self, _: str, __: object = None) -> object:
        """Return the value, for any name."""
        return self._member


# Errors name them as what they stand for.
AnyText.__name__, AnyJson.__name__ = "str", "dict"

_LEAVES = (True, False, ANY)
_DEPTH = 4
"""Objects and lists in each other, below the answer's own."""


def _nested(depth: int) -> Iterator[object]:
    yield from _LEAVES
    if depth:
        for each in _nested(depth - 1):
            yield AnyJson(each)
            yield [each]


_MEMBERS: tuple[object, ...] = (None, 0, 1, "", [], *_nested(_DEPTH))


class _AnyHeaders(Headers):
    def __getitem__(self, _: str) -> str:
        return ANY

    def __contains__(self, _: object) -> bool:
        return True

    def get(self, _: str, __: object = None) -> str:
        return ANY


class Response(response.Response, frozen=True):
    """An answer whose JSON is not that of its text; errors name it as the other."""

    member: Any = None

    @property
    def headers(self) -> Headers:
        """Return headers of every name."""
        return _AnyHeaders()

    @property
    def json(self) -> Any:
        """Return an object with every member."""
        return AnyJson(self.member)


def any_answers(statuses: tuple[int, ...]) -> Iterator[response.Response]:
    """Yield answers that say whatever is asked of them, with each of these statuses."""
    for status, member in product(statuses, _MEMBERS):
        yield Response(status, ANY, member=member)


def any_events(event: Event) -> Iterator[Event]:
    """Yield events of the same kind in which every text is any: all that can change did, or one field alone."""
    payload, metadata = _loosened(event.payload), _loosened(event.metadata)
    fields = _fields(event)
    for changed in (fields, *((each,) for each in fields)):
        changes = tuple(Change(each, ANY, ANY) for each in changed)
        known = Known(is_known=True, changes=changes, previous=payload, known_at=event.received_at)
        yield structs.replace(event, payload=payload, metadata=metadata, known=known)


def _fields(event: Event) -> tuple[str, ...]:
    """Return what can change of the thing of an event: what it has, and what Flipt leaves out of some."""
    there = {each.field for each in changes_between(event.type, {}, mapping(event.payload))}
    return tuple(sorted(there.union(*(each.fields for each in aspects_of(event)))))


def as_replay(event: Event) -> Event:
    """Return an event as `flagcast replay` sends it."""
    return structs.replace(event, origin=structs.replace(event.origin, replay=Replay(ANY, ANY)))


def _loosened(value: Any) -> Any:
    match value:
        case str():
            return ANY
        case Mapping():
            return {key: _loosened(member) for key, member in value.items()}
        case list():
            return [_loosened(each) for each in value]
        case _:
            return value
