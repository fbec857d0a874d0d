"""What ingest asks of AWS, and what becomes of an event when it may not."""

from http import HTTPStatus

import pytest
from botocore.exceptions import ClientError

from flagcast.edges.aws import client as aws_client
from tests.integration.ingest.harness import Ingest, bearer, operators
from tests.integration.ingest.test_large_events import HUGE
from tests.support.captures import TOKEN
from tests.support.iam.denied import ANSWERS, CANARY, KEY, Answer, deny
from tests.support.iam.recorded import Calls, calls_of

BY_A_PARAMETER = {"template": {"bearer_tokens": ["${ssm:token}"]}}


def test_everything_that_is_listed_is_asked(ingest: Ingest, asked_of_aws: Calls) -> None:
    operators("ssm").put_parameter(Name="/flagcast/test/token", Value=TOKEN, Type="SecureString")
    assert ingest.signed().status == HTTPStatus.OK
    assert ingest.signed(HUGE).status == HTTPStatus.OK
    ingest.faults.fail("PutItem", times=1)
    assert ingest.signed().status == HTTPStatus.OK
    assert ingest.signed(b"{}").status == HTTPStatus.BAD_REQUEST
    ingest.configure(BY_A_PARAMETER)
    assert ingest.post(headers=bearer(), source="template").status == HTTPStatus.OK
    assert asked_of_aws.made["ingest"] == calls_of("ingest")


def refused(service: str) -> str:
    """Make a call, and return the code that it fails with."""
    client = aws_client.client(service)
    made = {
        "sqs": lambda: client.get_queue_attributes(QueueUrl="https://sqs.eu-central-1.amazonaws.com/1/q"),
        "dynamodb": lambda: client.get_item(TableName="t", Key={"key": {"S": "k"}}),
        "s3": lambda: client.get_object(Bucket="bucket", Key="key"),
        "secretsmanager": lambda: client.get_secret_value(SecretId="s"),
        "ssm": lambda: client.get_parameter(Name="p"),
        "cloudformation": lambda: client.describe_stacks(StackName="s"),
        "sns": lambda: client.publish(TopicArn="arn:aws:sns:eu-central-1:123456789012:t", Message="m"),
        "events": lambda: client.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}]),
    }
    with pytest.raises(ClientError) as raised:
        made[service]()
    return aws_client.error_name(raised.value)


@pytest.mark.parametrize("service", ANSWERS)
def test_a_denied_call_fails_with_the_code_that_its_service_documents(ingest: Ingest, service: str) -> None:
    deny(aws_client._session().events, service)
    assert refused(service) == ANSWERS[service][0]


def test_a_key_that_may_not_be_used_has_a_code_of_its_own(ingest: Ingest) -> None:
    deny(aws_client._session().events, "sqs", KEY[1])
    assert refused("sqs") == KEY[0]


@pytest.mark.parametrize(
    ("service", "answer", "body"),
    [
        ("sqs", None, None),
        ("sqs", KEY[1], None),
        ("s3", None, HUGE),
        ("secretsmanager", None, None),
    ],
)
def test_an_event_that_the_role_may_not_store_or_prove_is_answered_503_and_nothing_of_it_is_kept(
    ingest: Ingest, service: str, answer: Answer | None, body: bytes | None
) -> None:
    deny(aws_client._session().events, service, answer)
    said = ingest.signed(body) if body else ingest.signed()
    assert (said.status, said.body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert ingest.stores_nothing()
    assert CANARY not in ingest.output.text


def test_a_parameter_that_the_role_may_not_read_is_answered_503(ingest: Ingest) -> None:
    ingest.configure(BY_A_PARAMETER)
    deny(aws_client._session().events, "ssm")
    assert ingest.post(headers=bearer(), source="template").status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "AccessDeniedException" in ingest.output.text
    assert ingest.stores_nothing()
