"""What a Go template sees of an event: Flipt's structs by its version, and Go's kinds of values as Python's.

Payload numbers are float64, an object is map[string]interface {}, an array []interface {}, a null a nil interface.
Go's text may hold bytes that are no UTF-8 (`slice` can cut a character in two): such a byte is a surrogate here, as
Python's "surrogateescape" has it.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from flagcast.events.event import Event

BYTES = ("utf-8", "surrogateescape")
"""How Go's text becomes bytes and is made of them."""


_STRAY_BYTE = re.compile("[\udc80-\udcff]")


class TemplateFailed(Exception):
    """What Go would end the template's execution with; the message quotes nothing of the event."""


class Nothing(Struct, frozen=True):
    """Go's zero reflect.Value: a key that a map does not have, or a null that was looked at."""


NOTHING: Final = Nothing()


class Byte(int):
    """A uint8: what a string holds at an index."""


class Record(Struct, frozen=True):
    """A Go struct: its type's name, and its fields in order."""

    kind: str
    fields: dict[str, Any]


class Texts(dict[str, str]):
    """A map[string]string."""


class Pointer(Struct, frozen=True):
    """A Go pointer to a struct; `record` is None where it is nil.

    `members` are those of the map that an older Flipt has in its place, where nothing shows which Flipt it is.
    """

    kind: str
    record: Record | None
    members: Texts | None = None


WITHOUT_STATUS = "0.1"
"""The version of events from Flipt before 1.44.0."""


def go_event(event: Event) -> Record:
    """Return the event as the audit.Event of the Flipt that sent it; without a version, as that of the newest.

    Its fields and their types: https://github.com/flipt-io/flipt/blob/v1.61.0/internal/server/audit/events.go. Before
    1.44.0 (version 0.1) there was no Status: .../v1.43.0/internal/server/audit/events.go.
    """
    fields = {
        "Version": event.version,
        "Type": event.type,
        "Action": event.action,
        "Metadata": Record("audit.Metadata", {"Actor": _actor(event)}),
        "Payload": _value(event.payload),
        "Timestamp": event.timestamp,
        "Status": event.status,
    }
    if event.version == WITHOUT_STATUS:
        del fields["Status"]
    return Record("audit.Event", fields)


ACTOR = {"Authentication": "authentication", "IP": "ip", "Email": "email", "Name": "name", "Picture": "picture"}
"""The fields of Flipt's Actor, and what they are called on the wire."""


def _actor(event: Event) -> Pointer | Texts:
    """Return who did it: a struct since Flipt 1.39.0, a map of texts before.

    Both are version 0.1. A map has keys that the struct does not know (io.flipt.auth.*), or an empty text, which a
    struct leaves out; it has no key `email`, `name` or `picture`. What is left, such as no more than `authentication`
    and `ip`, can be either: a struct whose members can be asked for by the keys of a map too.
    """
    wire = event.metadata.get("actor")
    if not isinstance(wire, dict):
        return Pointer("audit.Actor", None)
    members = Texts({key: each for key, each in wire.items() if isinstance(each, str)})
    may_be_map = event.version in ("", WITHOUT_STATUS) and not members.keys() & {"email", "name", "picture"}
    if may_be_map and (not members.keys() <= {*ACTOR.values()} or "" in members.values()):
        return members
    record = Record("audit.Actor", {field: members.get(name, "") for field, name in ACTOR.items()})
    return Pointer("audit.Actor", record, members if may_be_map and event.version else None)


def _value(wire: object) -> object:
    match wire:
        case int() | float() if not isinstance(wire, bool):
            return float(wire)
        case dict():
            return {key: _value(each) for key, each in wire.items()}
        case list():
            return [_value(each) for each in wire]
        case _:
            return wire


def whole(text: str) -> str:
    """Return text with U+FFFD for each byte that belongs to no character."""
    return _STRAY_BYTE.sub("\ufffd", text.encode(*BYTES).decode(*BYTES))


def type_of(value: object) -> str:
    """Return the name of a value's Go type."""
    match value:
        case None | Nothing():
            return "<nil>"
        case Record():
            return value.kind
        case Pointer():
            return f"*{value.kind}"
        case _:
            return next(name for kind, name in _TYPES if isinstance(value, kind))


_TYPES: Iterable[tuple[type, str]] = (
    (bool, "bool"),
    (Byte, "uint8"),
    (int, "int"),
    (float, "float64"),
    (complex, "complex128"),
    (str, "string"),
    (list, "[]interface {}"),
    (Texts, "map[string]string"),
    (dict, "map[string]interface {}"),
)


def looked_at(value: object) -> object:
    """Return what an interface holds: of a nil one, nothing."""
    return NOTHING if value is None else value


def is_true(value: object) -> bool:
    """Return whether Go's `if` takes a value for true: what is not the zero of its type; a struct always is."""
    match value:
        case None | Nothing():
            return False
        case Record():
            return True
        case Pointer():
            return value.record is not None
        case _:
            return bool(value)
