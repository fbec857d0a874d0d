"""SQS: a queue gets a message."""

from collections.abc import Mapping
from typing import Any

from flagcast.exchange.aws_request import AwsRequest


def send(client: Any, request: AwsRequest) -> dict[str, Any]:
    """Send one message: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html.

    The URL is made of the ARN; to ask SQS for it would take one more permission and a call.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
    """
    target = request.target
    answer: dict[str, Any] = client.send_message(
        QueueUrl=f"{client.meta.endpoint_url}/{target.account}/{target.name}",
        MessageBody=request.body.decode(),
        MessageAttributes=message_attributes(request.attributes),
        **request.fifo_ids,
    )
    return answer


def message_attributes(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Write attributes as SQS and SNS take them."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
