"""Calls that AWS denies, as they come over the wire: botocore itself makes the error of what the service answers."""

import json
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber

CANARY = "canary-in-an-error-message"
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

_SAID = f"User: {CANARY} is not authorized to perform this operation"


def _json(code: str) -> Answer:
    return 400, {}, json.dumps({"__type": code, "message": _SAID, "Message": _SAID}).encode()


def _xml(code: str, around: str = "{}") -> Answer:
    return 403, {}, around.format(f"<Error><Code>{code}</Code><Message>{_SAID}</Message></Error>").encode()


ANSWERS: dict[str, tuple[str, Answer]] = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-access-denied.html
    "sqs": (
        "AccessDenied",
        (
            403,
            {"x-amzn-query-error": "AccessDenied;Sender"},
            _json("com.amazon.coral.service#AccessDeniedException")[2],
        ),
    ),
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    "dynamodb": ("AccessDeniedException", _json("com.amazon.coral.service#AccessDeniedException")),
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "s3": ("AccessDenied", _xml("AccessDenied")),
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
    "secretsmanager": ("AccessDeniedException", _json("AccessDeniedException")),
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
    "ssm": ("AccessDeniedException", _json("AccessDeniedException")),
    # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
    "sns": ("AuthorizationError", _xml("AuthorizationError", "<ErrorResponse>{}</ErrorResponse>")),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html
    "events": ("AccessDeniedException", _json("AccessDeniedException")),
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
    "cloudformation": ("AccessDenied", _xml("AccessDenied", "<ErrorResponse>{}</ErrorResponse>")),
}
"""By service: the code that its clients are told, and what it answers."""

THROTTLED: dict[str, Answer] = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
    "sqs": (403, {"x-amzn-query-error": "RequestThrottled;Sender"}, _json("com.amazonaws.sqs#RequestThrottled")[2]),
    # https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
    "sns": (400, {}, _xml("Throttling", "<ErrorResponse>{}</ErrorResponse>")[2]),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html
    "events": _json("ThrottlingException"),
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "s3": (503, {}, _xml("SlowDown")[2]),
}
"""What services answer that are called too often."""
KEY = (
    "KMS.AccessDeniedException",
    (400, {"x-amzn-query-error": "KMS.AccessDeniedException;Sender"}, _json("com.amazonaws.sqs#KmsAccessDenied")[2]),
)
"""SQS where the queue is allowed and its key is not: the same page as SQS's."""


class Body(BytesIO):
    """What botocore reads an answer from."""

    def stream(self, **_: Any) -> Any:
        yield self.getvalue()


def deny(events: Any, service: str, answer: Answer | None = None) -> None:
    """Have a service deny every call, by the events of a client, or of a session for those that it makes later.

    moto answers before the call is sent, other doubles do not: here it is asked for the other services alone.
    """
    status, headers, body = answer or ANSWERS[service][1]
    named = "eventbridge" if service == "events" else service

    def answered(event_name: str, request: Any, **more: Any) -> Any:
        if event_name.split(".")[1].replace("-", "") != named:
            return botocore_stubber(event_name, request, **more)
        made = HTTPHeaders()
        for name, value in headers.items():
            made[name] = value
        return AWSResponse(request.url, status, made, Body(body))

    events.unregister("before-send", botocore_stubber)
    events.register("before-send", answered)
