"""A call of an AWS service that carries an event, apart from what makes it and what sends it."""

from typing import assert_never

from msgspec import Struct

from flagcast.primitives.aws_target import AwsTarget


class MessageIds(Struct, frozen=True):
    """What keeps a delivery in order, and a repeat of it apart, where the service can."""

    group: str
    deduplication: str


class AwsRequest(Struct, frozen=True):
    """One call, ready to send; `body` and `attributes` may hold secrets, so neither is ever logged.

    `attributes` are what the headers of an HTTP request are: attributes of a message, metadata of an object.
    """

    target: AwsTarget
    body: bytes
    attributes: dict[str, str]
    ids: MessageIds
    """A FIFO queue or topic gets them."""
    key: str = ""
    """The object's, in a bucket."""
    is_new_only: bool = False
    """An object is written only if there is none of its key."""
    source: str = ""
    """An event bus matches its rules by this, and by `detail_type`."""
    detail_type: str = ""
    event_id: str = ""

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Return what goes beside the body, by the service's own names."""
        match self.target.service:
            case "events":
                return [("Source", self.source), ("DetailType", self.detail_type), ("Resources", self.event_id)]
            case "s3":
                return [("Key", self.key), *self.attributes.items()]
            case "sqs" | "sns":
                return [*self.fifo_ids.items(), *self.attributes.items()]
        assert_never(self.target.service)

    @property
    def fifo_ids(self) -> dict[str, str]:
        """Return what a FIFO queue or topic needs; to others a group would mean fair queues, which no one asked for."""
        if not self.target.is_fifo:
            return {}
        return {"MessageGroupId": self.ids.group, "MessageDeduplicationId": self.ids.deduplication}


def object_key(prefix: str, source: str, received_at: str, event_id: str, suffix: str) -> str:
    """Name an object by its event, under the day (UTC) on which the event was accepted: a repeat writes it again."""
    day = received_at[:10].replace("-", "/")
    return "/".join(each for each in (prefix, source, day, f"{event_id}{suffix}") if each)
