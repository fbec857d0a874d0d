"""SQS FIFO queues in memory, by AWS's rules, in the shape of boto3's client; the clock can be simulated.

The rules are those of the developer guide's chapters on FIFO queues, visibility timeout, quotas and dead-letter queues:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html
"""

import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from botocore.exceptions import ClientError
from msgspec import Struct, field, structs

from tests.support.sqs_limits import LONGEST_INVISIBLE, Refused, check_batch, check_entry, check_visibility

DEDUPLICATED_FOR = 300
MOST_RECEIVED = 10
ACCOUNT = "123456789012"
REGION = "us-east-1"


class Clock(Protocol):
    def now(self) -> float: ...


class SimulatedClock:
    """Stands still until it is advanced."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


class Stored(Struct):
    """One message; it is in flight while `visible_at` is in the future."""

    id: str
    body: str
    group: str
    deduplication: str
    attributes: Mapping[str, Mapping[str, str]]
    sequence: int
    sent_at: float
    receives: int = 0
    first_received_at: float = 0
    received_at: float = 0
    visible_at: float = 0
    taken_from: str | None = None

    @property
    def receipt(self) -> str:
        """The latest receipt handle: each receive makes another."""
        return f"{self.id}#{self.receives}"


class Fifo(Struct):
    """One queue; by default with the settings of AWS, which are not those of template.yaml."""

    name: str
    clock: Clock
    sequences: Iterator[int]
    visibility_timeout: int = 30
    retention: int = 345_600
    per_group: bool = False
    """DeduplicationScope is messageGroup, as high throughput needs it."""
    most_receives: int | None = None
    dead_letters: "Fifo | None" = None
    messages: dict[str, Stored] = field(default_factory=dict)
    _known: dict[tuple[str, str], Stored] = field(default_factory=dict)

    def send(self, body: str, group: str, deduplication: str, attributes: Mapping[str, Mapping[str, str]]) -> Stored:
        """Keep a message, unless its deduplication id was accepted in the last five minutes."""
        key = (group if self.per_group else "", deduplication)
        self._drop_expired()
        if (before := self._known.get(key)) is not None:
            return before
        sent = Stored(str(uuid.uuid4()), body, group, deduplication, attributes, next(self.sequences), self.clock.now())
        self.messages[sent.id] = self._known[key] = sent
        return sent

    def receive(self, most: int, visibility: int | None = None) -> list[Stored]:
        """Hand out messages, as many of one group as there are before another's; in flight they lock their group."""
        self._drop_expired()
        now = self.clock.now()
        locked = {each.group for each in self.messages.values() if each.visible_at > now}
        groups: dict[str, list[Stored]] = {}
        for each in self.messages.values():
            if each.group not in locked:
                groups.setdefault(each.group, []).append(each)
        handed_out: list[Stored] = []
        for each in (each for group in groups.values() for each in group):
            if len(handed_out) == most:
                break
            if self.dead_letters is not None and self.most_receives is not None and each.receives >= self.most_receives:
                self._redrive(each, self.dead_letters)
                continue
            each.receives += 1
            each.first_received_at = each.first_received_at or now
            each.received_at = now
            each.visible_at = now + (self.visibility_timeout if visibility is None else visibility)
            handed_out.append(each)
        return handed_out

    def delete(self, receipt: str) -> None:
        """Take a message off the queue; deleting it once more is no error."""
        if (message := self._find(receipt)) is not None:
            self._check_in_flight(message, receipt)
            del self.messages[message.id]

    def change_visibility(self, receipt: str, seconds: int) -> None:
        """Let a message in flight be seen again after so many seconds, at most 12 hours after its receive."""
        check_visibility(seconds)
        message = self._find(receipt)
        if message is None:
            raise Refused("InvalidParameterValue", "Message does not exist or is not available for visibility change")
        self._check_in_flight(message, receipt)
        until = self.clock.now() + seconds
        if until > message.received_at + LONGEST_INVISIBLE:
            raise Refused("InvalidParameterValue", f"Total VisibilityTimeout is beyond the limit [{LONGEST_INVISIBLE}]")
        message.visible_at = until

    def _find(self, receipt: str) -> Stored | None:
        self._drop_expired()
        name, separator, receives = receipt.partition("#")
        if not separator or not receives.isdigit():
            raise Refused("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        return self.messages.get(name)

    def _check_in_flight(self, message: Stored, receipt: str) -> None:
        if receipt != message.receipt or message.visible_at <= self.clock.now():
            raise Refused("InvalidParameterValue", "The receipt handle has expired.")

    def _redrive(self, message: Stored, to: "Fifo") -> None:
        """Move a message that was received too often; between FIFO queues its retention begins anew."""
        del self.messages[message.id]
        to.messages[message.id] = structs.replace(
            message, sequence=next(self.sequences), sent_at=self.clock.now(), visible_at=0, taken_from=arn(self.name)
        )

    def _drop_expired(self) -> None:
        for kept, seconds in ((self.messages, self.retention), (self._known, DEDUPLICATED_FOR)):
            _drop_from_front(kept, self.clock.now() - seconds)


def _drop_from_front[K](kept: dict[K, Stored], until: float) -> None:
    """Drop what was sent by then; the oldest stand first."""
    while kept and (first := next(iter(kept))) is not None and kept[first].sent_at <= until:
        del kept[first]


def arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"


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
            in_flight = sum(each.visible_at > self._clock.now() for each in queue.messages.values())
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
    if attributes := _asked_for(system_attributes(message), asked):
        made["Attributes"] = attributes
    if attributes := _asked_for(message.attributes, attributes_asked):
        made["MessageAttributes"] = attributes
    return made


def _asked_for[T](known: Mapping[str, T], names: Sequence[str]) -> dict[str, T]:
    return {name: value for name, value in known.items() if "All" in names or name in names}


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")
