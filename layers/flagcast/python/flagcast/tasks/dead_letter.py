"""A dead letter: the task unchanged, and beside it why it was given up."""

from flagcast.tasks.outcomes import GiveUp
from flagcast.tasks.outgoing_message import LONGEST_ATTRIBUTE, Entry
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import NO_DESTINATION, Task, encode, moved_deduplication_id, task


def dead_letter(message: Message, given_up: GiveUp, attempts: int) -> Entry:
    """Make the dead letter of a message after so many attempts.

    Its group is its own, so that any number can be listed at once.
    """
    known = message.task if isinstance(message.task, Task) else None
    moved = moved_deduplication_id(known.id if known else "", message.id)
    attributes = {
        "reason": given_up.reason,
        "detail": given_up.detail,
        "status": str(given_up.status or ""),
        "attempts": str(attempts),
        "destination": known.destination if known else NO_DESTINATION,
        "event_id": known.event_id if known else "",
        "message_id": message.id,
        "sequence": message.sequence,
    }
    return Entry(message.body, moved, moved, _allowed(attributes))


def invalid_event(event: str, source: str, received_at: str, raw: bytes, detail: str) -> Entry:
    """Make the dead letter of an authentic body that is not an event."""
    letter = task(event, source, NO_DESTINATION, received_at, raw)
    identity = moved_deduplication_id(letter.id, "")
    attributes = {
        "reason": "invalid_event",
        "detail": detail,
        "destination": NO_DESTINATION,
        "event_id": event,
    }
    return Entry(encode(letter), identity, identity, _allowed(attributes))


def _allowed(attributes: dict[str, str]) -> dict[str, str]:
    """Keep what SQS takes: none empty, printable ASCII, small enough that what fits one queue fits the other."""
    cleaned = {
        name: "".join(each if " " <= each <= "~" else "?" for each in value)[:LONGEST_ATTRIBUTE]
        for name, value in attributes.items()
    }
    return {name: value for name, value in cleaned.items() if value}
