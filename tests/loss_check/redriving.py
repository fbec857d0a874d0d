"""Redrive by the contract: a dead letter's task back to its queue, in its own group, under an id of the move."""

from collections.abc import Mapping
from typing import Any

from flagcast.edges.wiring import resources
from flagcast.events.event import Event, parse
from flagcast.events.subject import subject
from flagcast.tasks import task as tasks
from flagcast.tasks.routing import message_group_id


def redriven(letter: Mapping[str, Any]) -> dict[str, str]:
    """Return the entry that puts a dead letter (its body and message id) back on the queue."""
    read = tasks.decode(letter["body"])
    assert isinstance(read, tasks.Task)
    raw = letter["raw"] if read.body_ref else read.raw
    event = parse(raw)
    assert isinstance(event, Event)
    ordering = resources.configuration().destinations[read.destination].ordering
    return {
        "Id": "0",
        "MessageBody": letter["body"],
        "MessageGroupId": message_group_id(read.destination, ordering, subject(event), read.id, read.replay),
        "MessageDeduplicationId": tasks.moved_deduplication_id(read.id, letter["message_id"]),
    }
