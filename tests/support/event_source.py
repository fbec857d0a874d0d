"""Lambda's event source mapping over a simulated queue, with ReportBatchItemFailures.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.fifo import REGION, Stored, arn
from tests.support.simulator import Simulator, md5, system_attributes

Event = dict[str, Any]


class EventSource:
    """Hands out batches of one queue as Lambda does, and deletes what the function does not report as failed."""

    def __init__(self, simulator: Simulator, url: str, batch_size: int = 10) -> None:
        self._simulator = simulator
        self._url = url
        self._batch_size = batch_size

    def poll(self) -> Event | None:
        """Receive a batch; None while there is nothing to receive."""
        received = self._simulator.take(self._url, self._batch_size)
        name = self._simulator.queue(self._url).name
        return {"Records": [record(each, name) for each in received]} if received else None

    def settle(self, event: Event, answer: object) -> None:
        """Delete what succeeded; what failed is seen again when its visibility timeout ends."""
        records = event["Records"]
        failed = failures(records, answer)
        entries = [
            {"Id": str(at), "ReceiptHandle": each["receiptHandle"]}
            for at, each in enumerate(records)
            if each["messageId"] not in failed
        ]
        if entries:
            self._simulator.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def run(self, function: Callable[[Event], object]) -> Event | None:
        """Take one batch through a function; one that raises keeps everything on the queue."""
        if (event := self.poll()) is not None:
            self.settle(event, function(event))
        return event


def failures(records: list[Mapping[str, Any]], answer: object) -> set[str]:
    """Read a partial batch response; one that makes no sense means that the whole batch failed."""
    everything = {each["messageId"] for each in records}
    if answer is None or answer == {}:
        return set()
    if not isinstance(answer, dict):
        return everything
    reported = answer.get("batchItemFailures")
    if reported is None:
        return set()
    named = {each.get("itemIdentifier") for each in reported}
    return everything if named - everything else named


def record(message: Stored, queue: str) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": system_attributes(message),
        "messageAttributes": {
            name: {
                "stringValue": value["StringValue"],
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value["DataType"],
            }
            for name, value in message.attributes.items()
        },
        "md5OfBody": md5(message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn(queue),
        "awsRegion": REGION,
    }
