"""What makes the attempts of deliver, put together of its edges: made once, and kept between invocations."""

import random
import time
from functools import cache

from msgspec import structs

from flagcast.config.archive_destination import with_archive
from flagcast.delivery.archiving import archived
from flagcast.delivery.attempt import Attempts, Unconfigured
from flagcast.delivery.batch_processor import BatchProcessor
from flagcast.delivery.flow_control import FlowControl
from flagcast.edges.aws.client import target_client
from flagcast.edges.http import transport
from flagcast.edges.runtime.system_clock import SystemClock
from flagcast.edges.wiring.resources import (
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
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.notices.observed_attempts import ObservedAttempts
from flagcast.notices.publisher import NoticePublisher
from flagcast.notices.trouble_tracker import TroubleTracker
from flagcast.primitives.aws_target import NotATarget, read_target
from flagcast.tasks.dead_letter import dead_letter
from flagcast.tasks.outcomes import DependencyFailed, GiveUp, Outcome
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import Task

CLOCK = SystemClock()
PATIENCE = 2.0
"""Seconds in which a dead letter must be on its queue, or else the task stays; within the margin of a batch."""


def attempting() -> ObservedAttempts:
    """Return what makes the attempts; while the configuration cannot be read, every task waits."""
    try:
        return attempts()
    except ConfigurationUnreadable as error:
        telemetry().configuration_unreadable(error)
        return ObservedAttempts(Unconfigured(str(error)), put_dead_letter, None)


@cache
def attempts() -> ObservedAttempts:
    """Make what makes the attempts, once the configuration can be read: it keeps the compiled templates."""
    told = notices()
    gates = FlowControl(state(), circuits(told or telemetry()), telemetry(), CLOCK, time.sleep)
    known = structs.replace(configuration(), destinations=with_archive(configuration().destinations))
    made = Attempts(known, templates(), secrets(), send, gates, bodies(), archive, CLOCK)
    return ObservedAttempts(made, put_dead_letter, told)


def send(request: Request | AwsRequest, deadline: float) -> Outcome:
    """Send a request by HTTP, or call the AWS service that its destination is, by a deadline (monotonic seconds)."""
    if isinstance(request, Request):
        return transport.send(request, deadline)
    # Loaded where it is used: most destinations are HTTP's.
    from flagcast.edges.aws.targets import transport as targets

    return targets.send(request, deadline, target_client)


def archive(task: Task, raw: bytes, seconds: float) -> Outcome:
    """Write an event into the archive within so many seconds."""
    bucket = read_target(settings().archive_bucket)
    if isinstance(bucket, NotATarget):
        return DependencyFailed(f"FLAGCAST_ARCHIVE_BUCKET: {bucket.detail}")
    return archived(task, raw, bucket, send, CLOCK.monotonic() + seconds)


def notices() -> TroubleTracker | None:
    """Make what notifies of destinations in trouble, if the configuration says which destination is notified."""
    through = configuration().notify
    if through is None:
        return None
    ordering = configuration().destinations[through].ordering
    teller = NoticePublisher(through, ordering, settings().stack, troubles(), queue(), telemetry(), CLOCK)
    return TroubleTracker(teller, telemetry(), CLOCK)


def batch(watched: ObservedAttempts) -> BatchProcessor:
    """Make what works through one batch."""
    return BatchProcessor(watched, queue(), watched.put_dead_letter, state(), telemetry(), CLOCK, random.random)


def put_dead_letter(message: Message, given_up: GiveUp, attempts: int) -> None:
    """Put a task that is given up where people find it; raises QueueUnavailable if it is not there for certain."""
    dead_letter_queue().send([dead_letter(message, given_up, attempts)], CLOCK.monotonic() + PATIENCE)
