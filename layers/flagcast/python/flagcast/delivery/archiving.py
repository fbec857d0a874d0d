"""An event into the archive: one object, written once."""

from collections.abc import Callable
from http import HTTPStatus

from msgspec import structs

from flagcast.archive.record import encode, record_of
from flagcast.exchange.aws_request import AwsRequest, MessageIds
from flagcast.primitives.aws_target import AwsTarget
from flagcast.tasks.outcomes import Answered, Outcome, Unreadable
from flagcast.tasks.task import Task

Sending = Callable[[AwsRequest, float], Outcome]
"""Makes a call and returns what came of it by a deadline (monotonic seconds)."""


def archived(task: Task, raw: bytes, bucket: AwsTarget, send: Sending, deadline: float) -> Outcome:
    """Write an event's object, unless there is one of its key: a repeat says the same, and would be another version.

    S3 then answers 412: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    record = record_of(task, raw)
    if (key := record.key) is None:
        return Unreadable("received_at is no time")
    request = AwsRequest(
        target=bucket,
        body=encode(record),
        attributes={"Content-Type": "application/json"},
        ids=MessageIds("", ""),
        key=str(key),
        event_id=task.event_id,
        is_new_only=True,
    )
    outcome = send(request, deadline)
    if isinstance(outcome, Answered) and outcome.status == HTTPStatus.PRECONDITION_FAILED:
        return structs.replace(outcome, is_accepted=True)
    return outcome
