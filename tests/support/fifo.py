"""SQS FIFO queues in memory, by AWS's rules; the clock is real or simulated.

The rules are those of the developer guide's chapters on FIFO queues, visibility timeout and dead-letter queues:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from itertools import islice
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


class ShiftedClock:
    """Goes as real time does, and jumps ahead when it is advanced."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


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
    _groups: dict[str, dict[str, Stored]] = field(default_factory=dict)
    _in_flight: dict[str, Stored] = field(default_factory=dict)
    """Those that were, until someone looks: time ends it too."""
    _known: dict[tuple[str, str], Stored] = field(default_factory=dict)

    def send(self, body: str, group: str, deduplication: str, attributes: Mapping[str, Mapping[str, str]]) -> Stored:
        """Keep a message, unless its deduplication id was accepted in the last five minutes."""
        key = (group if self.per_group else "", deduplication)
        self._drop_expired()
        if (before := self._known.get(key)) is not None:
            return before
        sent = Stored(str(uuid.uuid4()), body, group, deduplication, attributes, next(self.sequences), self.clock.now())
        self._known[key] = sent
        self._put(sent)
        return sent

    def receive(self, most: int, visibility: int | None = None) -> list[Stored]:
        """Hand out messages, as many of one group as there are before another's; in flight they lock their group."""
        self._drop_expired()
        now = self.clock.now()
        handed_out: list[Stored] = []
        for each in list(islice(self._free(), most)):
            if self.dead_letters is not None and self.most_receives is not None and each.receives >= self.most_receives:
                self._redrive(each, self.dead_letters)
                continue
            each.receives += 1
            each.first_received_at = each.first_received_at or now
            each.received_at = now
            each.visible_at = now + (self.visibility_timeout if visibility is None else visibility)
            self._in_flight[each.id] = each
            handed_out.append(structs.replace(each))
        return handed_out

    def in_flight(self) -> list[Stored]:
        """Return what was received and is neither deleted nor seen again."""
        now = self.clock.now()
        for each in [each for each in self._in_flight.values() if each.visible_at <= now]:
            del self._in_flight[each.id]
        return list(self._in_flight.values())

    def _free(self) -> Iterator[Stored]:
        """Go through what may be handed out: the oldest message's group first, and all of it before another."""
        passed = {each.group for each in self.in_flight()}
        for oldest in self.messages.values():
            if oldest.group not in passed:
                passed.add(oldest.group)
                yield from self._groups[oldest.group].values()

    def delete(self, receipt: str) -> None:
        """Take a message off the queue; deleting it once more is no error."""
        if (message := self._find(receipt)) is not None:
            self._check_in_flight(message, receipt)
            self._take_off(message)

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
        """Move a message that was received too often; between FIFO queues its retention begins again."""
        self._take_off(message)
        to._put(
            structs.replace(
                message,
                sequence=next(self.sequences),
                sent_at=self.clock.now(),
                visible_at=0,
                taken_from=arn(self.name),
            )
        )

    def _put(self, message: Stored) -> None:
        self.messages[message.id] = message
        self._groups.setdefault(message.group, {})[message.id] = message

    def _take_off(self, message: Stored) -> None:
        del self.messages[message.id]
        self._in_flight.pop(message.id, None)
        group = self._groups[message.group]
        del group[message.id]
        if not group:
            del self._groups[message.group]

    def _drop_expired(self) -> None:
        """Drop what was sent too long ago; the oldest stand first."""
        now = self.clock.now()
        while (oldest := next(iter(self.messages.values()), None)) and oldest.sent_at <= now - self.retention:
            self._take_off(oldest)
        while self._known and self._known[key := next(iter(self._known))].sent_at <= now - DEDUPLICATED_FOR:
            del self._known[key]


def arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
