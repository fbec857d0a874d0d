"""Deliver: attempt each task of a batch, decide what follows, act on it, and say which tasks stay."""

import random
import time
from functools import cache
from typing import Any, Protocol

from flagcast.core.dead_letter import dead_letter
from flagcast.core.message import Message, read_record
from flagcast.core.outcomes import GiveUp
from flagcast.edges import transport
from flagcast.edges.clock import SystemClock
from flagcast.edges.wiring import (
    bodies,
    circuits,
    configuration,
    dead_letter_queue,
    queue,
    secrets,
    settings,
    state,
    telemetry,
    templates,
    troubles,
)
from flagcast.errors import ConfigurationUnreadable
from flagcast.story.attempt import Attempts, Unconfigured
from flagcast.story.batch import Batch
from flagcast.story.gates import Gates
from flagcast.story.notices import Notices
from flagcast.story.telling import Teller
from flagcast.story.watched import Watched

CLOCK = SystemClock()
PATIENCE = 2.0
"""Seconds in which a dead letter must be on its queue, or else the task stays; within the margin of story/batch."""


class Context(Protocol):
    """What of Lambda's context is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may go on."""


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Work through one batch of the event source mapping.

    The answer is a partial batch response: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    deadline = CLOCK.monotonic() + context.get_remaining_time_in_millis() / 1000
    messages = [read_record(record) for record in event["Records"]]
    watched = attempting()
    batch = Batch(watched, queue(), watched.put_dead_letter, state(), telemetry(), CLOCK, random.random)
    staying = batch.run(messages, deadline)
    watched.tell(deadline)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}


def attempting() -> Watched:
    """Return what makes the attempts; while the configuration cannot be read, every task waits."""
    try:
        return attempts()
    except ConfigurationUnreadable as error:
        telemetry().configuration_unreadable(error)
        return Watched(Unconfigured(str(error)), put_dead_letter, None)


@cache
def attempts() -> Watched:
    """Make what makes the attempts, once the configuration can be read: it keeps the compiled templates."""
    told = notices()
    gates = Gates(state(), circuits(told or telemetry()), telemetry(), CLOCK, time.sleep)
    made = Attempts(configuration(), templates(), secrets(), transport.send, gates, bodies(), CLOCK)
    return Watched(made, put_dead_letter, told)


def notices() -> Notices | None:
    """Make what tells of destinations in trouble, if the configuration says who is told."""
    through = configuration().notify
    if through is None:
        return None
    ordering = configuration().destinations[through].ordering
    teller = Teller(through, ordering, settings().stack, troubles(), queue(), telemetry(), CLOCK)
    return Notices(teller, telemetry(), CLOCK)


def put_dead_letter(message: Message, given_up: GiveUp, attempts: int) -> None:
    """Put a task that is given up where people find it; raises QueueUnavailable if it is not there for certain."""
    dead_letter_queue().send([dead_letter(message, given_up, attempts)], CLOCK.monotonic() + PATIENCE)
