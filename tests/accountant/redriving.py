"""Redrive by the contract: a dead letter's task back to its queue, in its own group, under an id of the move."""

from collections.abc import Mapping
from typing import Any

from flagcast.core import task as tasks
from flagcast.core.event import Event, parse
from flagcast.core.routing import message_group_id
from flagcast.core.subject import subject
from flagcast.edges import wiring


def redriven(letter: Mapping[str, Any]) -> dict[str, str]:
    """Return the entry that puts a dead letter (its body and message id) back on the queue."""
    read = tasks.decode(letter["body"])
    assert isinstance(read, tasks.Task)
    raw = letter["raw"] if read.body_ref else read.raw
    event = parse(raw)
    assert isinstance(event, Event)
    ordering = wiring.configuration().destinations[read.destination].ordering
    return {
        "Id": "0",
        "MessageBody": letter["body"],
        "MessageGroupId": message_group_id(read.destination, ordering, subject(event), read.id),
        "MessageDeduplicationId": tasks.moved_deduplication_id(read.id, letter["message_id"]),
    }
