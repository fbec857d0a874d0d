"""What an object of the archive proves: that Flipt signed its body, that it fits its id, or that it was altered."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from flagcast.archive.record import Key, NewerRecord, Record, UnreadableRecord, decode
from flagcast.events.flipt_signature import flipt_signature
from flagcast.tasks.task import event_id


class Proven(Struct, frozen=True):
    """One of the secrets made the signature over the body: this is what Flipt sent."""

    record: Record


class Unproven(Struct, frozen=True):
    """The body is the one that the event's id was made of, and no secret says who sent it.

    `unsigned`: the event came without a signature, by a bearer token or `auth: none`. `no_secret`: no secret was given.
    `other_secret`: none of the given secrets made the signature, as after a rotation.
    """

    record: Record
    why: Literal["unsigned", "no_secret", "other_secret"]


class Altered(Struct, frozen=True):
    """The object is not what was written; `what` says how it shows, one sentence for each sign."""

    what: tuple[str, ...]


Verdict = Proven | Unproven | Altered | NewerRecord


def verify(data: bytes, key: Key, secrets: Iterable[str]) -> Verdict:
    """Judge an object by itself, its key, and the signing secrets of its source, of which each may have been valid."""
    record = decode(data)
    match record:
        case NewerRecord():
            return record
        case UnreadableRecord(detail):
            return Altered((detail,))
    raw = record.raw
    if signs := tuple(_signs(record, raw, key)):
        return Altered(signs)
    if record.signature is None:
        return Unproven(record, "unsigned")
    presented, tried = record.signature.encode(), False
    for secret in secrets:
        tried = True
        if hmac.compare_digest(presented, flipt_signature(raw, secret).encode()):
            return Proven(record)
    return Unproven(record, "other_secret" if tried else "no_secret")


def _signs(record: Record, raw: bytes, key: Key) -> Iterator[str]:
    if hashlib.sha256(raw).hexdigest() != record.sha256:
        yield "sha256 is not that of the body"
    if event_id(record.source, raw, record.number) != record.event_id:
        yield "event_id is not made of this source, body and number"
    if record.key != key:
        yield "the key says another source, day or event"
