"""One event as the archive keeps it: an object of JSON on one line. docs/operations.md documents its fields."""

import base64
import hashlib
import re
from typing import Any, Final, Literal, Self

import msgspec
from msgspec import UNSET, Struct, UnsetType

from flagcast.config.validation import NAME
from flagcast.events.change_context import Change, Known
from flagcast.primitives.timestamp import moment_of
from flagcast.tasks.task import Task

VERSION: Final = 1
_SEAL: Final = re.compile(rb',"record_sha256":"([0-9a-f]{64})"\}\n')
_SEALED: Final = len(b',"record_sha256":""}\n') + 64
_KEY: Final = re.compile(
    rf"(?P<source>{NAME.pattern})/(?P<year>[0-9]{{4}})/(?P<month>[0-9]{{2}})/(?P<day>[0-9]{{2}})/"
    r"(?P<event_id>evt_[0-9a-f]{32})\.json"
)


class Key(Struct, frozen=True, order=True):
    """Where an event's object is; `day` is the day (UTC) on which the event was accepted: 2026-11-27."""

    source: str
    day: str
    event_id: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read an object's key; None for what the archive does not write."""
        found = _KEY.fullmatch(text)
        return cls(found["source"], "-".join(found.group("year", "month", "day")), found["event_id"]) if found else None

    def __str__(self) -> str:
        """Return the object's key. The names of sources are safe in it (config/validation.py)."""
        return f"{prefix(self.source, self.day)}{self.event_id}.json"


def prefix(source: str, day: str = "") -> str:
    """Return what the keys of a source begin with, or those of a day or month of it (UTC, 2026-11-27, 2026-11)."""
    return f"{source}/{day.replace('-', '/')}/" if day else f"{source}/"


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the archive keeps of one event.

    `number` is what the event's id was made with, beside source and body: None for the first event of its second.
    `signature` is Flipt's header, None where the source proves itself otherwise. `sha256` is the body's. `body` is the
    body as text, `body_base64` its bytes where they are not UTF-8. `changes` is None where what was there before is
    unknown. The other fields are those of what ingest knew (events/change_context).
    """

    v: Literal[1]
    event_id: str
    source: str
    received_at: str
    number: str | None
    signature: str | None
    sha256: str
    body: str | UnsetType = UNSET
    body_base64: str | UnsetType = UNSET
    changes: tuple[Change, ...] | None
    names: dict[str, str]
    previous: dict[str, Any] | None = None
    known_at: str | None = None
    namespace: str | None = None
    flag_key: str | None = None
    subject: tuple[str, ...] = ()

    @property
    def raw(self) -> bytes:
        """Return the body's bytes as Flipt sent them."""
        if self.body is not UNSET:
            return self.body.encode()
        return base64.b64decode(self.body_base64) if self.body_base64 is not UNSET else b""

    @property
    def known(self) -> Known:
        """Return what ingest knew of the event, as its tasks carried it."""
        return Known(
            is_known=self.changes is not None,
            changes=self.changes or (),
            previous=self.previous,
            known_at=self.known_at,
            names=self.names,
            namespace=self.namespace,
            flag_key=self.flag_key,
            subject=self.subject,
        )

    @property
    def key(self) -> Key | None:
        """Return where the object belongs; None where `received_at` is no time."""
        moment = moment_of(self.received_at)
        return None if moment is None else Key(self.source, moment.date().isoformat(), self.event_id)


class NewerRecord(Struct, frozen=True):
    """An object that a later version of Flagcast wrote."""

    version: int


class UnreadableRecord(Struct, frozen=True):
    """An object that is not as the archive writes it; `detail` says why without quoting it."""

    detail: str


def record_of(task: Task, raw: bytes) -> Record:
    """Make the record of an event from its task for the archive and its body."""
    text, encoded = _as_text(raw)
    known = task.known
    return Record(
        v=VERSION,
        event_id=task.event_id,
        source=task.source,
        received_at=task.received_at,
        number=task.number,
        signature=task.signature,
        sha256=hashlib.sha256(raw).hexdigest(),
        body=text,
        body_base64=encoded,
        changes=known.changes if known.is_known else None,
        names=known.names,
        previous=known.previous,
        known_at=known.known_at,
        namespace=known.namespace,
        flag_key=known.flag_key,
        subject=known.subject,
    )


def _as_text(raw: bytes) -> tuple[str | UnsetType, str | UnsetType]:
    try:
        return raw.decode(), UNSET
    except UnicodeDecodeError:
        return UNSET, base64.b64encode(raw).decode()


def encode(record: Record) -> bytes:
    """Write a record as JSON on one line, which ends with the SHA-256 of all bytes before it."""
    text = msgspec.json.encode(record)[:-1]
    return text + _seal(text)


def decode(data: bytes) -> Record | NewerRecord | UnreadableRecord:
    """Read an object; every byte of it counts."""
    text, seal = data[:-_SEALED], data[-_SEALED:]
    if not _SEAL.fullmatch(seal):
        return UnreadableRecord("it does not end with record_sha256")
    if seal != _seal(text):
        return UnreadableRecord("its record_sha256 is not that of the bytes before it")
    try:
        version = msgspec.json.decode(text + b"}", type=_Version).v
        if version > VERSION:
            return NewerRecord(version)
        read = msgspec.json.decode(text + b"}", type=Record)
    except (msgspec.DecodeError, RecursionError) as error:
        return UnreadableRecord(f"not a record: {error}")
    if (read.body is UNSET) == (read.body_base64 is UNSET):
        return UnreadableRecord("not a record: exactly one of body and body_base64 is required")
    if read.body_base64 is not UNSET:
        try:
            base64.b64decode(read.body_base64, validate=True)
        except ValueError:
            return UnreadableRecord("not a record: body_base64 is not base64")
    if not _has_each_field_once(text):
        return UnreadableRecord("not a record: a field is there twice, or is not written as the archive writes it")
    return read


class _Version(Struct):
    v: int


def _has_each_field_once(text: bytes) -> bool:
    """Return whether nothing but the fields is there, each once: of two, Athena may read the other one.

    https://www.rfc-editor.org/rfc/rfc8259#section-4
    """
    fields = msgspec.json.decode(text + b"}", type=dict[str, msgspec.Raw])
    return text == b"{" + b",".join(b'"%s":%s' % (name.encode(), bytes(value)) for name, value in fields.items())


def _seal(text: bytes) -> bytes:
    return b',"record_sha256":"%s"}\n' % hashlib.sha256(text).hexdigest().encode()
