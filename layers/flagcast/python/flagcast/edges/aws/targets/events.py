"""EventBridge: a bus gets an event."""

from typing import Any

from flagcast.exchange.aws_request import AwsRequest


def send(client: Any, request: AwsRequest) -> dict[str, Any]:
    """Put one event: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html.

    An event has no attributes. The event id is among its `resources`, by which a consumer tells a repeat.
    """
    answer: dict[str, Any] = client.put_events(
        Entries=[
            {
                "EventBusName": request.target.arn,
                "Source": request.source,
                "DetailType": request.detail_type,
                "Detail": request.body.decode(),
                "Resources": [request.event_id],
            }
        ]
    )
    return answer
