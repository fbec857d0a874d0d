"""What each service takes of one call, checked before it is sent: what AWS refuses it refuses for ever.

Each limit as AWS's API models and pages gave it in November 2026 (botocore 1.43.108 has their text).
"""

import re
from collections.abc import Iterator, Mapping
from typing import assert_never

import msgspec

from flagcast.exchange.aws_request import AwsRequest
from flagcast.primitives.aws_target import Service

MOST_ATTRIBUTES = 10
"""Of a message. SNS takes more, and then a queue that is subscribed with raw delivery gets nothing:

https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
"""

_NAMES: Mapping[Service, str] = {"sqs": "SQS", "sns": "SNS", "events": "EventBridge", "s3": "S3"}

LARGEST: Mapping[Service, int] = {
    # Body and attributes. A queue's own MaximumMessageSize may be smaller: the queue then says so itself.
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    "sqs": 1024 * 1024,
    # The most that a topic's MaximumMessageSize can be; 256 KiB where it was not set.
    # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    "sns": 1024 * 1024,
    # 256 KB until January 2026. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    "events": 1024 * 1024 - 1,
    # One PutObject: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
    "s3": 5 * 1024**3,
}
"""Bytes of one message, entry or object."""

MOST_METADATA = 2 * 1024
"""Bytes of an object's metadata, names and values: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html."""

LONGEST_DETAIL_TYPE = 128
"""https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html"""

LONGEST_KEY = 1024
"""Bytes of an object's key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html."""

_NOT_IN_MESSAGES = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""What XML 1.0 cannot hold, SQS and SNS do not take: the page of SendMessage has the list."""


def excess(request: AwsRequest) -> str | None:
    """Say what of a call its service would refuse; None where it takes it."""
    return next(_excesses(request), None)


def _excesses(request: AwsRequest) -> Iterator[str]:
    service, size = request.target.service, _size(request)
    if size > LARGEST[service]:
        yield f"{size} bytes are too many; {_NAMES[service]} takes {LARGEST[service]}"
    match service:
        case "sqs" | "sns":
            yield from _in_message(request, _NAMES[service])
        case "events":
            yield from _in_event(request)
        case "s3":
            yield from _in_object(request)
        case _:
            assert_never(service)


def _size(request: AwsRequest) -> int:
    """Return the bytes that the service counts."""
    match request.target.service:
        case "sqs" | "sns":
            attributes = request.attributes.items()
            return len(request.body) + sum(
                len(name) + len("String") + len(value.encode()) for name, value in attributes
            )
        case "events":
            # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
            return len(request.body) + len(f"{request.source}{request.detail_type}{request.event_id}".encode())
        case "s3":
            return len(request.body)
    assert_never(request.target.service)


def _in_message(request: AwsRequest, service: str) -> Iterator[str]:
    if not request.body:
        yield f"the body is empty, which {service} does not take"
    if len(request.attributes) > MOST_ATTRIBUTES:
        yield f"{len(request.attributes)} attributes are too many; {service} takes {MOST_ATTRIBUTES}"
    for where, text in (("body", request.body.decode()), *request.attributes.items()):
        if found := re.search(_NOT_IN_MESSAGES, text):
            yield f"{where}: {service} does not take the character U+{ord(found[0]):04X}"


def _in_event(request: AwsRequest) -> Iterator[str]:
    if len(request.detail_type) > LONGEST_DETAIL_TYPE:
        yield f"the event's type is too long; EventBridge takes {LONGEST_DETAIL_TYPE} characters as detail-type"
    try:
        is_object = isinstance(msgspec.json.decode(request.body), dict)
    except (msgspec.DecodeError, RecursionError):
        is_object = False
    if not is_object:
        yield "the body is not a JSON object, and EventBridge takes nothing else"


def _in_object(request: AwsRequest) -> Iterator[str]:
    if len(request.key.encode()) > LONGEST_KEY:
        yield f"the key has {len(request.key.encode())} bytes; S3 takes {LONGEST_KEY}"
    for name, value in request.attributes.items():
        if not value.isascii():
            yield f"headers.{name}: S3 takes ASCII only; write it with | urlencode"
    size = sum(len(name) + len(value) for name, value in request.attributes.items())
    if size > MOST_METADATA:
        yield f"headers: {size} bytes are too many for an object's metadata; S3 takes {MOST_METADATA}"
