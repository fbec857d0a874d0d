"""The check around SQS, which all other tests here stand on, refuses what AWS refuses."""

from typing import Any

import pytest

from flagcast.edges.aws.client import client
from tests.integration.ingest.harness import Ingest
from tests.support.sqs_limits import LARGEST
from tests.support.strict_sqs import check


def message(**changes: object) -> dict[str, Any]:
    made = {"Id": "0", "MessageBody": "{}", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def attributes(**values: str) -> dict[str, Any]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def batch(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"QueueUrl": "q", "Entries": list(entries)}


ALLOWED: dict[str, dict[str, Any]] = {
    "a message": message(),
    "the largest message": message(MessageBody="x" * LARGEST),
    "the largest with an attribute": message(MessageBody="x" * (LARGEST - 8), MessageAttributes=attributes(a="v")),
    "the largest batch": batch(message(), message(Id="1", MessageBody="x" * (LARGEST - 2))),
    "every kind of character": message(MessageBody="\t\n\r ~\x7f\ud7ff\ue000\ufffd\U00010000\U0010ffff"),
    "the longest visibility": {"QueueUrl": "q", "ReceiptHandle": "r", "VisibilityTimeout": 43_200},
    "punctuation in a group": message(MessageGroupId="!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
}
# What integration/simulator holds of the same checks is not said again.
REFUSED: dict[str, dict[str, Any]] = {
    "a byte too many": message(MessageBody="x" * (LARGEST + 1)),
    "a byte too many with an attribute": message(MessageBody="x" * (LARGEST - 7), MessageAttributes=attributes(a="v")),
    "too many bytes of more than one each": message(MessageBody="\u00e9" * (LARGEST // 2 + 1)),
    "a batch with a byte too many": batch(message(), message(Id="1", MessageBody="x" * (LARGEST - 1))),
    "an empty body": message(MessageBody=""),
    "an attribute of AWS's": message(MessageAttributes=attributes(**{"AWS.reason": "v"})),
    "an attribute with a control character": message(MessageAttributes=attributes(reason="\x1b")),
    "no group": message(MessageGroupId=None),
    "an empty group": message(MessageGroupId=""),
    "a long group": message(MessageGroupId="g" * 129),
    "no deduplication id": message(MessageDeduplicationId=None),
    "a long deduplication id": message(MessageDeduplicationId="d" * 129),
    "a deduplication id that is not ASCII": message(MessageDeduplicationId="\u00e9"),
    "a delay of one message": message(DelaySeconds=1),
    "a visibility past twelve hours": {"QueueUrl": "q", "ReceiptHandle": "r", "VisibilityTimeout": 43_201},
    "a visibility past twelve hours in a batch": batch({"Id": "0", "ReceiptHandle": "r", "VisibilityTimeout": 43_201}),
    "a visibility below zero": {"QueueUrl": "q", "ReceiptHandle": "r", "VisibilityTimeout": -1},
    "a visibility that is not whole": {"QueueUrl": "q", "ReceiptHandle": "r", "VisibilityTimeout": 1.5},
    **{
        f"the character {ord(character):x}": message(MessageBody=character)
        for character in "\x00\x08\x0b\x0c\x0e\x1f\ud800\udfff\ufffe\uffff"
    },
}


@pytest.mark.parametrize("params", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_sqs_takes_passes(params: dict[str, Any]) -> None:
    check(params)


@pytest.mark.parametrize("params", REFUSED.values(), ids=REFUSED.keys())
def test_what_sqs_refuses_is_an_assertion_that_fails(params: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check(params)


def test_the_client_that_ingest_makes_is_under_the_check(ingest: Ingest) -> None:
    with pytest.raises(AssertionError, match="MessageGroupId"):
        client("sqs").send_message_batch(QueueUrl=ingest.queue, Entries=[message(MessageGroupId="a b")])
    assert ingest.stores_nothing()
