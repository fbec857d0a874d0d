"""SNS: a topic gets a message."""

from typing import Any

from flagcast.edges.aws.client import NotFromAws
from flagcast.edges.aws.targets.sqs import message_attributes
from flagcast.exchange.aws_request import AwsRequest


def send(client: Any, request: AwsRequest) -> dict[str, Any]:
    """Publish one message: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""
    try:
        answer: dict[str, Any] = client.publish(
            TopicArn=request.target.arn,
            Message=request.body.decode(),
            MessageAttributes=message_attributes(request.attributes),
            **request.fifo_ids,
        )
    except KeyError as error:
        # botocore looks for an element of SNS's XML, which a proxy's page does not have.
        raise NotFromAws from error
    return answer
