"""Lambda's event source mapping over a queue that is asked through botocore's client."""

from typing import Any

from tests.support.event_source import Event, EventSource
from tests.support.fifo import REGION


class ReceivingSource(EventSource):
    """Receives by ReceiveMessage, where the simulator's looks inside; settles as that does."""

    wait = 0
    """Seconds to wait for a message."""

    def poll(self) -> Event | None:
        answer = self._simulator.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=self.wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return {"Records": [_record(each) for each in answer["Messages"]]} if answer.get("Messages") else None


def _record(received: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": received["MessageId"],
        "receiptHandle": received["ReceiptHandle"],
        "body": received["Body"],
        "attributes": received["Attributes"],
        "messageAttributes": {},
        "md5OfBody": received["MD5OfBody"],
        "eventSource": "aws:sqs",
        "awsRegion": REGION,
    }
