"""A dead letter as it is read off its queue, whatever it holds."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs

from flagcast.events.change_context import NOTHING, Known
from flagcast.events.event import Event, InvalidEvent, parse
from flagcast.events.subject import subject
from flagcast.tasks.received_message import Message, read_record
from flagcast.tasks.task import NO_DESTINATION, NewerVersion, Task, UnreadableTask
from flagcast_cli.ledger.event_ids import SHORTEST_PREFIX, bare

QUEUE_NET = "queue_net"
"""The reason of a letter that says none: SQS moved it here itself, or a person put it here."""

SHOWN_OF_AN_ID = 12
"""Characters of an id that the table shows: enough to name it."""


class Facts(Struct, frozen=True):
    """What there is to know of an event, its body left out: `event` has neither payload nor raw."""

    event: Event
    key: str
    about: tuple[str, ...]


class Absent(Struct, frozen=True):
    """Why there is no event to be had, now or for good."""

    why: str
    for_good: bool = True


class Letter(Struct, frozen=True):
    """One dead letter: the message, and the attributes beside it, none of which need be there."""

    message: Message
    said: dict[str, str]

    @property
    def id(self) -> str:
        """Return the message's id in the dead-letter queue."""
        return self.message.id

    @property
    def task(self) -> Task | None:
        """Return the task, None where it cannot be read."""
        return self.message.task if isinstance(self.message.task, Task) else None

    @property
    def reason(self) -> str:
        """Return why it was given up."""
        return self.said.get("reason", QUEUE_NET)

    @property
    def destination(self) -> str:
        """Return the destination that it was for: as the task says, else as the attributes say."""
        return self.task.destination if self.task else self.said.get("destination", NO_DESTINATION)

    @property
    def event_id(self) -> str:
        """Return the event's id, empty where nothing says it."""
        return self.task.event_id if self.task else self.said.get("event_id", "")

    @property
    def replay(self) -> str | None:
        """Return the id of the replay that sent it, None where none did."""
        return self.task.replay.id if self.task and self.task.replay else None

    @property
    def body_ref(self) -> str:
        """Return the key under which its body is stored apart, empty where it is not."""
        ref = self.task.body_ref if self.task else ""
        return ref if isinstance(ref, str) else ""

    @property
    def name(self) -> str:
        """Return what people call it by: the event's id, else the message's."""
        return self.event_id or self.id

    @property
    def order(self) -> tuple[str, int]:
        """Return what tasks are sorted by so that they are sent in the order in which they were accepted.

        A letter without the attribute has only its own number: the net's move keeps the order of a group.
        """
        text = self.said.get("sequence", self.message.sequence)
        number = int(text) if text.isascii() and text.isdigit() else 0
        return (self.task.received_at if self.task else "", number)

    def is_called(self, given: str) -> bool:
        """Return whether what was typed names it: the id of its event, task or message, or the beginning of one."""
        names = (self.event_id, self.task.id if self.task else "", self.id, self.said.get("message_id", ""))
        if given in names:
            return True
        begins = (given, f"evt_{given}")
        return len(bare(given)) >= SHORTEST_PREFIX and any(each.startswith(begins) for each in names)

    def facts(self) -> Facts | Absent | None:
        """Return what the event is about; None where its body is stored apart and must be fetched first."""
        match self.message.task:
            case NewerVersion(version):
                return Absent(f"a later version of Flagcast wrote it (v{version}): use that version of flagcast")
            case UnreadableTask(detail):
                return Absent(f"{detail}; nothing can deliver it")
            case task:
                return None if self.body_ref else facts_of(task.raw, task.known)


def facts_of(raw: bytes, known: Known = NOTHING) -> Facts | Absent:
    """Read what an event is about of its body."""
    event = parse(raw, known=known)
    if isinstance(event, InvalidEvent):
        return Absent(f"its body is not an event ({event.detail}), so nothing can deliver it")
    key = event.flag_key or event.segment_key or event.resource_key or ""
    return Facts(structs.replace(event, raw="", payload=None), key, subject(event))


def read_letter(received: Mapping[str, Any]) -> Letter:
    """Read one message of ReceiveMessage, asked for with all attributes."""
    message = read_record(
        {
            "messageId": received["MessageId"],
            "receiptHandle": received["ReceiptHandle"],
            "body": received["Body"],
            "attributes": received["Attributes"],
        }
    )
    said = {name: value.get("StringValue", "") for name, value in received.get("MessageAttributes", {}).items()}
    return Letter(message, {name: value for name, value in said.items() if value})
