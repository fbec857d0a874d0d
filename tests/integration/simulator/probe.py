"""A queue as the rows of the table use it, whatever stands for SQS."""

import itertools
import json
import uuid
from collections.abc import Mapping
from typing import Any

from tests.integration.simulator.backends import Backend

DAY = 86_400
RETENTION = 14 * DAY
VISIBILITY = 270


class Probe:
    """One FIFO queue with the settings of template.yaml, and its dead-letter queue."""

    def __init__(self, backend: Backend, most_receives: int = 1000) -> None:
        self.client = backend.client
        self._backend = backend
        self._numbers = itertools.count()
        name = f"probe-{uuid.uuid4().hex[:8]}"
        self.dead_letters = self._create(f"{name}-dead.fifo", {})
        arn = self.client.get_queue_attributes(QueueUrl=self.dead_letters, AttributeNames=["QueueArn"])
        redrive = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": most_receives}
        self.url = self._create(f"{name}.fifo", {"RedrivePolicy": json.dumps(redrive)})

    def advance(self, seconds: float) -> None:
        assert self._backend.advance is not None, "a row that needs this says so"
        self._backend.advance(seconds)

    def send(self, *bodies: str) -> dict[str, Any]:
        """Send a message for each body; its letter is its group."""
        return self.send_entries(*(self.entry(body) for body in bodies))

    def send_entries(self, *entries: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.send_message_batch(
            QueueUrl=self.url, Entries=[{"Id": str(at), **each} for at, each in enumerate(entries)]
        )
        return answer

    def entry(self, body: str, **more: Any) -> dict[str, Any]:
        made = {
            "MessageBody": body,
            "MessageGroupId": body[:1],
            "MessageDeduplicationId": f"id-{next(self._numbers)}",
        }
        return {**made, **more}

    def receive(self, most: int = 10, url: str | None = None) -> list[dict[str, Any]]:
        answer = self.client.receive_message(
            QueueUrl=url or self.url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def bodies(self, most: int = 10, url: str | None = None) -> list[str]:
        return [each["Body"] for each in self.receive(most, url)]

    def delete(self, *messages: Mapping[str, Any]) -> list[str]:
        """Delete; returns the codes of what was refused."""
        entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
        return refused(self.client.delete_message_batch(QueueUrl=self.url, Entries=entries))

    def change(self, seconds: int, *messages: Mapping[str, Any]) -> list[str]:
        """Change the visibility timeout; returns the codes of what was refused."""
        entries = [
            {"Id": str(at), "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": seconds}
            for at, each in enumerate(messages)
        ]
        return refused(self.client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries))

    def _create(self, name: str, more: Mapping[str, str]) -> str:
        attributes = {
            "FifoQueue": "true",
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
            "VisibilityTimeout": str(VISIBILITY),
            "MessageRetentionPeriod": str(RETENTION),
        }
        return str(self.client.create_queue(QueueName=name, Attributes={**attributes, **more})["QueueUrl"])


def refused(answer: Mapping[str, Any]) -> list[str]:
    return [each["Code"] for each in answer.get("Failed", [])]
