"""A message to be sent, as both queues take it."""

from msgspec import Struct

LARGEST_MESSAGE = 1024 * 1024
"""Bytes of one message with its attributes, and of all messages of one SendMessageBatch.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

LONGEST_ATTRIBUTE = 1024
LARGEST_TASK = 200 * 1024
"""Bytes of one encoded task that carries its body; of a larger event the tasks name where its body is stored.

So whatever fits the queue fits the dead-letter queue, with the attributes that say why it is there.
"""


class Entry(Struct, frozen=True):
    """One message; everything in it is ASCII, so that characters are bytes."""

    body: str
    group: str
    deduplication: str
    attributes: dict[str, str] = {}

    @property
    def size(self) -> int:
        """Return the bytes that SQS counts: the body, and each attribute's name, type and value."""
        return len(self.body) + sum(len(name) + len("String") + len(value) for name, value in self.attributes.items())
