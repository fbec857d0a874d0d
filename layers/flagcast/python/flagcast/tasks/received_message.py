"""A task as SQS hands it out: the event source mapping's record."""

from typing import Any

from msgspec import Struct

from flagcast.tasks.task import NewerVersion, Task, UnreadableTask, decode


class Wear(Struct, frozen=True):
    """How much of its stay on the queue a task has used up."""

    receives: int
    queued: float
    """Seconds since it was sent."""


class Message(Struct, frozen=True):
    """One received message; times in epoch seconds.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html shows the record it is read from.
    """

    id: str
    receipt: str
    body: str
    group: str
    sequence: str
    receives: int
    sent_at: float
    task: Task | NewerVersion | UnreadableTask

    def wear(self, now: float) -> Wear:
        """Return how much of its stay on the queue the task has used up."""
        return Wear(self.receives, now - self.sent_at)


def read_record(record: dict[str, Any]) -> Message:
    """Read one record of a Lambda event from a FIFO queue."""
    attributes = record["attributes"]
    return Message(
        id=record["messageId"],
        receipt=record["receiptHandle"],
        body=record["body"],
        group=attributes["MessageGroupId"],
        sequence=attributes.get("SequenceNumber", ""),
        receives=int(attributes["ApproximateReceiveCount"]),
        sent_at=int(attributes["SentTimestamp"]) / 1000,
        task=decode(record["body"]),
    )
