"""SQS FIFO queues in memory, in the shape of boto3's client."""
# ruff: noqa: N803 - the arguments have boto3's names

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tests.support.fifo import ACCOUNT, REGION, Clock, Fifo, Stored, arn
from tests.support.sqs_limits import Refused, check_batch, check_entry

MOST_RECEIVED = 10


class Simulator:
    """What boto3's SQS client does, over queues in memory; any number of threads may call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queues: dict[str, Fifo] = {}
        self._sequences = iter(range(18_849_496_460_467_696_128, 2**66, 256))
        self._changed = threading.Condition()

    def queue(self, url: str) -> Fifo:
        """Look inside a queue."""
        try:
            return self._queues[url.rpartition("/")[2]]
        except KeyError:
            raise _error("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.") from None

    def wait_for(self, condition: Callable[[], bool], timeout: float = 10) -> bool:
        """Wait until something holds of the queues; it is asked again after each change."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def take(self, url: str, most: int, visibility: int | None = None) -> list[Stored]:
        """Receive messages as they are stored."""
        with self._changed:
            received = self.queue(url).receive(most, visibility)
            self._changed.notify_all()
            return received

    def create_queue(self, *, QueueName: str, Attributes: Mapping[str, str]) -> dict[str, Any]:
        redrive = json.loads(Attributes.get("RedrivePolicy", "{}"))
        target = redrive.get("deadLetterTargetArn", "").rpartition(":")[2]
        self._queues[QueueName] = Fifo(
            QueueName,
            self._clock,
            self._sequences,
            visibility_timeout=int(Attributes.get("VisibilityTimeout", 30)),
            retention=int(Attributes.get("MessageRetentionPeriod", 345_600)),
            per_group=Attributes.get("DeduplicationScope") == "messageGroup",
            most_receives=int(redrive["maxReceiveCount"]) if redrive else None,
            dead_letters=self._queues[target] if redrive else None,
        )
        return {"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{QueueName}"}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> dict[str, Any]:
        with self._changed:
            queue = self.queue(QueueUrl)
            in_flight = len(queue.in_flight())
            known = {
                "QueueArn": arn(queue.name),
                "ApproximateNumberOfMessages": str(len(queue.messages) - in_flight),
                "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            }
            return {"Attributes": _asked_for(known, AttributeNames)}

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        def send(queue: Fifo, entry: dict[str, Any]) -> dict[str, Any]:
            check_entry(entry)
            sent = queue.send(
                entry["MessageBody"],
                entry["MessageGroupId"],
                entry["MessageDeduplicationId"],
                entry.get("MessageAttributes", {}),
            )
            return {
                "MessageId": sent.id,
                "MD5OfMessageBody": md5(entry["MessageBody"]),
                "SequenceNumber": str(sent.sequence),
            }

        return self._each(QueueUrl, Entries, send)

    def receive_message(
        self,
        *,
        QueueUrl: str,
        MaxNumberOfMessages: int = 1,
        VisibilityTimeout: int | None = None,
        WaitTimeSeconds: int = 0,
        AttributeNames: Sequence[str] = (),
        MessageSystemAttributeNames: Sequence[str] = (),
        MessageAttributeNames: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Receive what is there at once, however long the caller would wait."""
        if not 1 <= MaxNumberOfMessages <= MOST_RECEIVED:
            raise _error("InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10.")
        asked = [*AttributeNames, *MessageSystemAttributeNames]
        received = self.take(QueueUrl, MaxNumberOfMessages, VisibilityTimeout)
        answers = [_as_received(each, asked, MessageAttributeNames) for each in received]
        return {"Messages": answers} if answers else {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return self._each(QueueUrl, Entries, lambda queue, entry: queue.delete(entry["ReceiptHandle"]))

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        def change(queue: Fifo, entry: dict[str, Any]) -> None:
            queue.change_visibility(entry["ReceiptHandle"], entry["VisibilityTimeout"])

        return self._each(QueueUrl, Entries, change)

    def _each(
        self,
        url: str,
        entries: Sequence[dict[str, Any]],
        act: Callable[[Fifo, dict[str, Any]], dict[str, Any] | None],
    ) -> dict[str, Any]:
        """Do something for each entry; what is refused stands under Failed, as boto3 has it: only where it is."""
        try:
            check_batch(entries)
        except Refused as refused:
            raise _error(refused.code, refused.message) from refused
        answer: dict[str, Any] = {}
        with self._changed:
            queue = self.queue(url)
            for entry in entries:
                try:
                    done = {"Id": entry["Id"], **(act(queue, entry) or {})}
                    answer.setdefault("Successful", []).append(done)
                except Refused as refused:
                    failed = {"SenderFault": True, "Code": refused.code, "Message": refused.message}
                    answer.setdefault("Failed", []).append({"Id": entry["Id"], **failed})
            self._changed.notify_all()
        return answer


def system_attributes(message: Stored) -> dict[str, str]:
    made = {
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": str(round(message.sent_at * 1000)),
        "SequenceNumber": str(message.sequence),
        "MessageGroupId": message.group,
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "MessageDeduplicationId": message.deduplication,
        "ApproximateFirstReceiveTimestamp": str(round(message.first_received_at * 1000)),
    }
    return made if message.taken_from is None else {**made, "DeadLetterQueueSourceArn": message.taken_from}


def _as_received(message: Stored, asked: Sequence[str], attributes_asked: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": md5(message.body),
        "Body": message.body,
    }
    if system := _asked_for(system_attributes(message), asked):
        made["Attributes"] = system
    if attributes := _asked_for(message.attributes, attributes_asked):
        made["MessageAttributes"] = attributes
    return made


def _asked_for[T](known: Mapping[str, T], names: Sequence[str]) -> dict[str, T]:
    return {name: value for name, value in known.items() if "All" in names or name in names}


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")
