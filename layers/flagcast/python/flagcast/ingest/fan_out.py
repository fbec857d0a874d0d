"""An accepted event to one message for each destination that wants it, or what is no event to a dead letter."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from flagcast.config.archive_destination import ARCHIVE, ARCHIVE_DESTINATION
from flagcast.config.model import Ordering
from flagcast.events.event import Event
from flagcast.events.replay import Replay
from flagcast.events.subject import subject
from flagcast.flipt_state.resend_detection import FIRST
from flagcast.tasks.dead_letter import invalid_event
from flagcast.tasks.outgoing_message import LARGEST_TASK, Entry
from flagcast.tasks.routing import Route, message_group_id, recipients
from flagcast.tasks.task import (
    NO_DESTINATION,
    Task,
    body_key,
    claim_check,
    deduplication_id,
    encode,
    event_id,
    replayed,
    task,
)


class Messages(Struct, frozen=True):
    """The messages of one event, by destination.

    `body_ref` is set where they do not carry its body: the key under which it must be stored before they are sent.
    """

    entries: dict[str, Entry]
    body_ref: str | None = None

    @property
    def deliveries(self) -> int:
        """Count the destinations of the configuration, of which the archive is none: 0 says that none matched."""
        return len(self.entries.keys() - {ARCHIVE})


class Proof(Struct, frozen=True):
    """What the archive keeps of an event to prove it: what its id was made with beside its body, and Flipt's signature.

    Each is None where there is none.
    """

    number: str | None = None
    signature: str | None = None


def number_of(number: int | str) -> str | None:
    """Return what an event's id is made with beside source and body: nothing for the first one of its second.

    The rule is that of flipt_state/resend_detection.
    """
    return None if number == FIRST else str(number)


def identify(source: str, raw: bytes, number: int | str) -> str:
    """Name an accepted event by its body, and its number where that is not the first."""
    return event_id(source, raw, number_of(number))


def fan_out(
    identity: str, source: str, received_at: str, event: Event, routes: Mapping[str, Route], proof: Proof | None = None
) -> Messages:
    """Return the message for each destination that wants the event, and one for the archive if there is a proof."""
    about = subject(event)
    tasks = [task(identity, source, name, received_at, event.raw, event.known) for name in recipients(routes, event)]
    if proof is not None:
        tasks.append(_for_archive(task(identity, source, ARCHIVE, received_at, event.raw, event.known), proof))
        routes = {**routes, ARCHIVE: ARCHIVE_DESTINATION}
    texts, body_ref = _encoded(tasks, event.raw)
    entries: dict[str, Entry] = {}
    for each, text in zip(tasks, texts, strict=True):
        group = message_group_id(each.destination, routes[each.destination].ordering, about, each.id)
        entries[each.destination] = Entry(text, group, deduplication_id(each.id))
    return Messages(entries, body_ref)


def for_replay(event: Event, destination: str, ordering: Ordering, replay: Replay) -> Messages:
    """Return the message that carries an accepted event once more, to one destination alone.

    Its group and its deduplication id are the replay's own, the same each time: sent twice within five minutes, it is
    delivered once.
    """
    origin = event.origin
    made = replayed(task(origin.id, origin.source, destination, origin.received_at, event.raw, event.known), replay)
    (text,), body_ref = _encoded([made], event.raw)
    group = message_group_id(destination, ordering, subject(event), made.id, replay)
    return Messages({destination: Entry(text, group, deduplication_id(made.id))}, body_ref)


def for_no_destination(source: str, received_at: str, raw: bytes, detail: str) -> Messages:
    """Return the dead letter of an authentic body that is not an event; `detail` says why."""
    identity = event_id(source, raw)
    letter = invalid_event(identity, source, received_at, raw, detail)
    (text,), body_ref = _encoded([task(identity, source, NO_DESTINATION, received_at, raw)], raw)
    return Messages({NO_DESTINATION: structs.replace(letter, body=text)}, body_ref)


def for_archive_alone(source: str, received_at: str, raw: bytes, signature: str | None) -> Messages:
    """Return the message that takes an authentic body that is not an event to the archive."""
    made = _for_archive(task(event_id(source, raw), source, ARCHIVE, received_at, raw), Proof(None, signature))
    (text,), body_ref = _encoded([made], raw)
    group = message_group_id(ARCHIVE, ARCHIVE_DESTINATION.ordering, (), made.id)
    return Messages({ARCHIVE: Entry(text, group, deduplication_id(made.id))}, body_ref)


def _for_archive(task: Task, proof: Proof) -> Task:
    return structs.replace(task, number=proof.number, signature=proof.signature)


def _encoded(tasks: Sequence[Task], raw: str | bytes) -> tuple[list[str], str | None]:
    """Write the tasks of one event; if one is too large with the body in it, all name the key of the stored body.

    The first that is too large ends it, and a body that is so by itself is not written at all.
    """
    texts: list[str] = []
    for each in tasks:
        text = encode(each) if len(raw) <= LARGEST_TASK else None
        if text is None or len(text) > LARGEST_TASK:
            return [encode(claim_check(each)) for each in tasks], body_key(each.event_id)
        texts.append(text)
    return texts, None
