"""SNS: a topic gets a message."""

from typing import Any

from flagcast.edges.aws.targets.sqs import message_attributes
from flagcast.exchange.aws_request import AwsRequest


def send(client: Any, request: AwsRequest) -> dict[str, Any]:
    """Publish one message: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""
    answer: dict[str, Any] = client.publish(
        TopicArn=request.target.arn,
        Message=request.body.decode(),
        MessageAttributes=message_attributes(request.attributes),
        **request.fifo_ids,
    )
    return answer
