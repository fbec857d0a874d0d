"""SQS FIFO queues in memory, by AWS's rules; the clock can be simulated.

The rules are those of the developer guide's chapters on FIFO queues, visibility timeout and dead-letter queues:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec import Struct, field, structs

from tests.support.sqs_limits import LONGEST_INVISIBLE, Refused, check_visibility

DEDUPLICATED_FOR = 300
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
            handed_out.append(structs.replace(each))
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
        _drop_from_front(self.messages, self.clock.now() - self.retention)
        _drop_from_front(self._known, self.clock.now() - DEDUPLICATED_FOR)


def _drop_from_front[K](kept: dict[K, Stored], until: float) -> None:
    """Drop what was sent by then; the oldest stand first."""
    while kept and kept[oldest := next(iter(kept))].sent_at <= until:
        del kept[oldest]


def arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
