"""What a service answered, as an answer of HTTP: by its documented codes, never by the words of its messages."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from flagcast.exchange.aws_request import AwsRequest
from flagcast.tasks.outcomes import Answered, DependencyFailed, Unreachable

DENIED, MISSING, THROTTLED, UNAVAILABLE = 403, 410, 429, 503
MEANT: Mapping[int, frozenset[str]] = {
    DENIED: frozenset({
        "AccessDenied", "AccessDeniedException", "AuthorizationError", "InvalidAccountIdException",
        "InvalidClientTokenId", "KMS.AccessDeniedException", "KMSAccessDenied", "KmsAccessDenied",
        "NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException", "UnrecognizedClientException",
    }),
    MISSING: frozenset({
        "AWS.SimpleQueueService.NonExistentQueue", "NoSuchBucket", "NotFound", "QueueDoesNotExist",
        "ResourceNotFoundException",
    }),
    THROTTLED: frozenset({
        "KMS.ThrottlingException", "KMSThrottling", "KmsThrottled", "RequestLimitExceeded", "RequestThrottled",
        "SlowDown", "Throttled", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    }),
    # A process that was frozen between signing a request and sending it: the next attempt signs again.
    UNAVAILABLE: frozenset({
        "ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed", "RequestTimeout",
    }),
}  # fmt: skip
"""The status that a code stands for, whatever status the service sends with it.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
"""
FAILED = frozenset({"InternalError", "InternalException", "InternalFailure", "ServiceUnavailable"})

_NAMES = frozenset({"ETag", "EventId", "MessageId"})
"""What a service calls that which it took."""
_REFUSED, _NO_STATUS = 400, 502


def answer_of(answer: Mapping[str, Any]) -> Answered:
    """Read what a service answered that took the call; an event that a bus did not take is an error of its own."""
    for entry in answer.get("Entries", ()):
        if "EventId" not in entry:
            code = str(entry.get("ErrorCode", "InternalFailure"))
            return Answered(_meant(code, _REFUSED), None, f"{code}: {entry.get('ErrorMessage', '')}")
    named = (each for each in (answer, *answer.get("Entries", ())) for each in each.items())
    said = next((f"{name}: {value}" for name, value in named if name in _NAMES), None)
    if said is None:
        return Answered(_NO_STATUS, None, "the answer does not say that anything was taken", _headers(answer))
    return Answered(_status(answer), None, said, _headers(answer))


def outcome_of(
    error: ClientError | BotoCoreError | ResponseParserError, request: AwsRequest
) -> Answered | Unreachable | DependencyFailed:
    """Say what an error of a call is: an answer, or none."""
    match error:
        case ClientError():
            return _refused(error, request)
        case ConnectTimeoutError() | ReadTimeoutError():
            return Unreachable("timeout")
        case SSLError():
            return Unreachable("tls")
        case EndpointConnectionError():
            return Unreachable("connection")
        case NoCredentialsError():
            return DependencyFailed("no AWS credentials")
        case _:
            return Unreachable("protocol")


def _refused(error: ClientError, request: AwsRequest) -> Answered:
    told = error.response.get("Error", {})
    code = str(told.get("Code", ""))
    status = _meant(code, _status(error.response))
    said = f"{code}: {told.get('Message', '')}"
    if status == DENIED:
        said = f"{request.target.action} on {request.target.arn} is not allowed: {said}"
    return Answered(status, None, said, _headers(error.response))


def _meant(code: str, status: int) -> int:
    """Return the status that a code stands for: some services answer 400 to everything that they refuse."""
    if code in FAILED:
        return max(status, 500)
    return next((meant for meant, codes in MEANT.items() if code in codes), status)


def _status(answer: Mapping[str, Any]) -> int:
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", _NO_STATUS))


def _headers(answer: Mapping[str, Any]) -> dict[str, str]:
    return dict(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
