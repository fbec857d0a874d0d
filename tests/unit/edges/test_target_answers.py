"""What the answers of AWS's services come to, by the codes that each documents."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from flagcast.edges.aws.targets.answers import answer_of, outcome_of
from flagcast.exchange.aws_request import AwsRequest, MessageIds
from flagcast.primitives.aws_target import AwsTarget, Service, read_target
from flagcast.tasks.outcomes import Answered, DependencyFailed, Unreachable

ARNS: dict[Service, str] = {
    "sqs": "arn:aws:sqs:eu-west-1:111122223333:q",
    "sns": "arn:aws:sns:eu-west-1:111122223333:t",
    "events": "arn:aws:events:eu-west-1:111122223333:event-bus/b",
    "s3": "arn:aws:s3:::bucket",
}


def request(service: Service) -> AwsRequest:
    target = read_target(ARNS[service])
    assert isinstance(target, AwsTarget)
    return AwsRequest(target, b"{}", {}, MessageIds("g", "d"))


def refused(code: str, status: int) -> ClientError:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {"x-amzn-requestid": "r1"}}
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": metadata}, "Send")  # type: ignore[typeddict-item]


# The status is the one that the service's documentation gives beside the code.
CODES: list[tuple[Service, str, int, int]] = [
    ("sqs", "RequestThrottled", 403, 429),
    ("sqs", "KMS.ThrottlingException", 400, 429),
    ("sqs", "KmsThrottled", 400, 429),
    ("sqs", "ThrottlingException", 400, 429),
    ("sqs", "AWS.SimpleQueueService.NonExistentQueue", 400, 410),
    ("sqs", "QueueDoesNotExist", 400, 410),
    ("sqs", "AccessDenied", 403, 403),
    ("sqs", "AccessDeniedException", 400, 403),
    ("sqs", "KMS.AccessDeniedException", 400, 403),
    ("sqs", "KmsAccessDenied", 400, 403),
    ("sqs", "InvalidMessageContents", 400, 400),
    ("sqs", "InvalidParameterValue", 400, 400),
    ("sqs", "UnsupportedOperation", 400, 400),
    ("sqs", "InternalFailure", 500, 500),
    ("sqs", "ServiceUnavailable", 503, 503),
    ("sns", "Throttled", 429, 429),
    ("sns", "Throttling", 400, 429),
    ("sns", "KMSThrottling", 400, 429),
    ("sns", "NotFound", 404, 410),
    ("sns", "AuthorizationError", 403, 403),
    ("sns", "KMSAccessDenied", 400, 403),
    ("sns", "KMSDisabled", 400, 400),
    ("sns", "KMSNotFound", 400, 400),
    ("sns", "InvalidParameter", 400, 400),
    ("sns", "InternalError", 500, 500),
    ("sns", "InvalidClientTokenId", 403, 403),
    ("events", "ThrottlingException", 400, 429),
    ("events", "AccessDeniedException", 400, 403),
    ("events", "ResourceNotFoundException", 400, 410),
    ("events", "InternalException", 500, 500),
    ("events", "InternalFailure", 400, 500),
    ("events", "ValidationException", 400, 400),
    ("events", "UnrecognizedClientException", 400, 403),
    ("s3", "SlowDown", 503, 429),
    ("s3", "NoSuchBucket", 404, 410),
    ("s3", "AccessDenied", 403, 403),
    ("s3", "InternalError", 500, 500),
    ("s3", "ServiceUnavailable", 503, 503),
    ("s3", "PermanentRedirect", 301, 301),
    ("s3", "InvalidRequest", 400, 400),
    # A function that was frozen between signing and sending: the next attempt signs again.
    ("s3", "RequestTimeTooSkewed", 403, 503),
    ("sqs", "RequestExpired", 400, 503),
    ("sns", "ExpiredToken", 403, 503),
    ("events", "ExpiredTokenException", 400, 503),
]


@pytest.mark.parametrize(("service", "code", "status", "meant"), CODES)
def test_a_refusal_is_an_answer_with_the_status_that_its_code_stands_for(
    service: Service, code: str, status: int, meant: int
) -> None:
    outcome = outcome_of(refused(code, status), request(service))
    assert isinstance(outcome, Answered)
    assert (outcome.status, outcome.headers) == (meant, {"x-amzn-requestid": "r1"})
    assert outcome.excerpt.endswith(f"{code}: no")


@pytest.mark.parametrize(
    ("service", "permission"),
    [("sqs", "sqs:SendMessage"), ("sns", "sns:Publish"), ("events", "events:PutEvents"), ("s3", "s3:PutObject")],
)
def test_a_denial_names_the_permission_that_is_missing(service: Service, permission: str) -> None:
    outcome = outcome_of(refused("AccessDenied", 403), request(service))
    assert isinstance(outcome, Answered)
    assert outcome.excerpt == f"{permission} on {ARNS[service]} is not allowed: AccessDenied: no"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ConnectTimeoutError(endpoint_url="e"), Unreachable("timeout")),
        (ReadTimeoutError(endpoint_url="e"), Unreachable("timeout")),
        (SSLError(endpoint_url="e", error=OSError()), Unreachable("tls")),
        (EndpointConnectionError(endpoint_url="e"), Unreachable("connection")),
        (ConnectionClosedError(endpoint_url="e"), Unreachable("protocol")),
        (NoCredentialsError(), DependencyFailed("no AWS credentials")),
        (BotoCoreError(), Unreachable("protocol")),
    ],
)
def test_where_no_answer_came_the_outcome_says_why(
    error: BotoCoreError, outcome: Unreachable | DependencyFailed
) -> None:
    assert outcome_of(error, request("sqs")) == outcome


def answered(**fields: object) -> Answered:
    return answer_of({"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}, **fields})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"MessageId": "m1", "SequenceNumber": "7"}, "MessageId: m1"),
        ({"ETag": '"e1"'}, 'ETag: "e1"'),
        ({"FailedEntryCount": 0, "Entries": [{"EventId": "e1"}]}, "EventId: e1"),
    ],
)
def test_what_was_taken_is_told_by_the_name_that_the_service_gave_it(fields: dict[str, object], said: str) -> None:
    assert answered(**fields) == Answered(200, None, said)


@pytest.mark.parametrize("fields", [{}, {"FailedEntryCount": 0, "Entries": []}])
def test_an_answer_that_names_nothing_has_taken_nothing(fields: dict[str, object]) -> None:
    # Such an answer of EventBridge once counted as a delivery.
    assert not answered(**fields).is_delivery


@pytest.mark.parametrize(
    ("code", "status"),
    [
        # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
        ("InternalFailure", 500),
        ("ThrottlingException", 429),
        ("AccessDeniedException", 403),
        ("InvalidAccountIdException", 403),
        ("NotAuthorizedForSourceException", 403),
        ("NotAuthorizedForDetailTypeException", 403),
        ("InvalidArgument", 400),
        ("MalformedDetail", 400),
        ("RedactionFailure", 400),
    ],
)
def test_a_success_with_an_event_that_was_not_taken_is_that_events_error(code: str, status: int) -> None:
    entry = {"ErrorCode": code, "ErrorMessage": "no"}
    assert answered(FailedEntryCount=1, Entries=[entry]) == Answered(status, None, f"{code}: no")


def test_a_success_without_a_word_of_the_event_is_none() -> None:
    assert answered(Entries=[{}]).status == 500
