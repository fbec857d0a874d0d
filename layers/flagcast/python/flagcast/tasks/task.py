"""The queue message: one event for one destination."""

import base64
import hashlib
import json
import re
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from flagcast.events.change_context import NOTHING, Known
from flagcast.events.replay import Replay

VERSION: Final = 1
NO_DESTINATION = "-"
"""What stands for the destination of a body that is not an event."""
BODIES: Final = "bodies/"
"""What the keys of stored bodies begin with; the functions may touch no others (template.yaml)."""


_SENDABLE = re.compile("[!-~]{1,256}")
"""An id that can be a header's value, Webhook-Id or Flagcast-Replay: https://www.rfc-editor.org/rfc/rfc9110#section-5.5."""


class Task(Struct, frozen=True, omit_defaults=True):
    """One event for one destination, as it stands on the queue.

    `body` is the raw body as text, `body_base64` its bytes where they are not UTF-8, `body_ref` the key under which
    they are stored where they are too large for a message: exactly one is set. `known` is what ingest knew beside it;
    a task of a release before has none, which means that nothing is known. `replay` is set where the event is sent once
    more: `received_at` stays when it was accepted. Only a task for the archive has `number` (what `event_id` took
    beside source and body) and `signature`, Flipt's header; None where there is none.
    """

    v: Literal[1]
    id: str
    event_id: str
    source: str
    destination: str
    received_at: str
    body: str | UnsetType = UNSET
    body_base64: str | UnsetType = UNSET
    body_ref: str | UnsetType = UNSET
    known: Known = NOTHING
    replay: Replay | None = None
    number: str | None = None
    signature: str | None = None

    @property
    def is_claim_check(self) -> bool:
        """Return whether the body is stored apart, as it is too large for a message."""
        return self.body_ref is not UNSET

    @property
    def raw(self) -> bytes:
        """Return the body's bytes as Flipt sent them; raises LookupError where `body_ref` says they are elsewhere."""
        if self.body is not UNSET:
            return self.body.encode()
        if self.body_base64 is not UNSET:
            return base64.b64decode(self.body_base64)
        raise LookupError("the task does not carry its body")


class NewerVersion(Struct, frozen=True):
    """A task that a later version of Flagcast put on the queue."""

    version: int


class UnreadableTask(Struct, frozen=True):
    """A message that is not a task; `detail` says why without quoting it."""

    detail: str


def event_id(source: str, raw: bytes, number: str | None = None) -> str:
    """Name an event by its content: equal bodies of one source are one event.

    A number, or the id of its request, is added where equal bodies are different events: the second change to a state
    within a second, bodies without a timestamp, `dedupe: false`.
    """
    digest = hashlib.sha256(source.encode() + b"\0" + raw)
    if number is not None:
        digest.update(b"\0" + number.encode())
    return f"evt_{digest.hexdigest()[:32]}"


def event_digest(source: str, raw: bytes) -> str:
    """Hash a body, for a row that remembers which events it saw: 64 bits."""
    return event_id(source, raw)[4:20]


def task(event: str, source: str, destination: str, received_at: str, raw: str | bytes, known: Known = NOTHING) -> Task:
    """Make the task that carries one event to one destination; `raw` is its body, as text where it is known to be."""
    name = f"{event}:{destination}"
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
    except UnicodeDecodeError as error:
        encoded = base64.b64encode(error.object).decode()
        return Task(VERSION, name, event, source, destination, received_at, body_base64=encoded, known=known)
    return Task(VERSION, name, event, source, destination, received_at, body=text, known=known)


def replayed(task: Task, replay: Replay) -> Task:
    """Return the task that carries the event once more: with an id of its own, so that SQS takes it for another."""
    return structs.replace(task, id=f"{task.id}:{replay.id}", replay=replay)


def body_key(event: str) -> str:
    """Return the key under which an event's body is stored: one for all destinations, and the same for a resend."""
    return BODIES + event


def claim_check(task: Task) -> Task:
    """Return the task with the key of the event's stored body in its body's place."""
    return structs.replace(task, body=UNSET, body_base64=UNSET, body_ref=body_key(task.event_id))


def encode(task: Task) -> str:
    """Write a task as JSON in ASCII: SQS refuses some characters that JSON and UTF-8 allow.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    text = msgspec.json.encode(task)
    # Almost every event is ASCII as it is, and the escaping takes five times as long.
    return text.decode() if text.isascii() else _to_ascii(msgspec.to_builtins(task))


# Made once: json.dumps makes an encoder for every call that is not all defaults.
_to_ascii = json.JSONEncoder(separators=(",", ":")).encode


class _Version(Struct):
    v: int


def decode(body: str) -> Task | NewerVersion | UnreadableTask:
    """Read a task off the queue; a newer version is told from something that is no task at all."""
    try:
        version = msgspec.json.decode(body, type=_Version).v
        if version > VERSION:
            return NewerVersion(version)
        read = msgspec.json.decode(body, type=Task)
    except (msgspec.DecodeError, RecursionError) as error:
        return UnreadableTask(f"not a task: {error}")
    if sum(each is not UNSET for each in (read.body, read.body_base64, read.body_ref)) != 1:
        return UnreadableTask("not a task: exactly one of body, body_base64 and body_ref is required")
    if read.body_base64 is not UNSET and not _is_base64(read.body_base64):
        return UnreadableTask("not a task: body_base64 is not base64")
    if not _SENDABLE.fullmatch(read.event_id):
        return UnreadableTask("not a task: event_id cannot be sent as a header")
    if read.replay is not None and not _SENDABLE.fullmatch(read.replay.id):
        return UnreadableTask("not a task: replay.id cannot be sent as a header")
    if read.body_ref is not UNSET and not read.body_ref.startswith(BODIES):
        return UnreadableTask(f"not a task: body_ref does not begin with {BODIES}")
    return read


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def deduplication_id(task_id: str) -> str:
    """Name a task for SQS: a repeat within five minutes is accepted and swallowed."""
    return _hash(task_id)


def moved_deduplication_id(task_id: str, message_id: str) -> str:
    """Name a task that moves between queues.

    SQS swallows a repeated id for five minutes even after its message is deleted, so a move needs one of its own:
    that of the message it moves, so that a move made twice still counts once.
    """
    return _hash(f"{task_id}\0{message_id}")


def group_id(*parts: str) -> str:
    """Name a message group by what its tasks have in common."""
    return _hash("\0".join(parts))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:48]
