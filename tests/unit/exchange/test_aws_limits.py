"""What AWS's services take, by the numbers of their documentation (November 2026)."""

import pytest
from msgspec import structs

from flagcast.exchange.aws_limits import excess
from flagcast.exchange.aws_request import AwsRequest, MessageIds, object_key
from flagcast.primitives.aws_target import AwsTarget, read_target

ARNS = {
    "sqs": "arn:aws:sqs:eu-west-1:111122223333:q",
    "sns": "arn:aws:sns:eu-west-1:111122223333:t",
    "events": "arn:aws:events:eu-west-1:111122223333:event-bus/b",
    "s3": "arn:aws:s3:::bucket",
}
MIB = 1024 * 1024


def request(service: str, body: bytes = b"{}", **fields: object) -> AwsRequest:
    target = read_target(ARNS[service])
    assert isinstance(target, AwsTarget)
    return structs.replace(AwsRequest(target, body, {}, MessageIds("g", "d"), key="k"), **fields)


def padded(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


TAKEN = [
    request("sqs", b"x" * MIB),
    request("sqs", b"x" * (MIB - 8), attributes={"A": "b"}),
    request("sqs", attributes={f"A{n}": "v" for n in range(10)}),
    request("sqs", "\t\n\r aé\ud7ff\ue000\ufffd\U0010ffff".encode()),
    request("sns", b"x" * MIB),
    request("events", padded(MIB - 1)),
    request("events", padded(MIB - 1 - 17), source="flagcast", detail_type="a", event_id="evt_0001"),
    request("events", detail_type="t" * 128),
    request("s3", b""),
    request("s3", b"\0\xff"),
    request("s3", key="k" * 1024),
    request("s3", attributes={"A": "v" * 2047}),
]

REFUSED = [
    (request("sqs", b"x" * (MIB + 1)), "1048577 bytes are too many; SQS takes 1048576"),
    (request("sqs", b"x" * (MIB - 8), attributes={"A": "bc"}), "1048577 bytes are too many; SQS takes 1048576"),
    (request("sqs", b"x" * (MIB - 8), attributes={"A": "é"}), "1048577 bytes are too many; SQS takes 1048576"),
    (request("sqs", b""), "the body is empty, which SQS does not take"),
    (request("sqs", attributes={f"A{n}": "v" for n in range(11)}), "11 attributes are too many; SQS takes 10"),
    (request("sqs", b"a\x01"), "body: SQS does not take the character U+0001"),
    (request("sqs", "\uffff".encode()), "body: SQS does not take the character U+FFFF"),
    (request("sns", attributes={"A": "\x0b"}), "A: SNS does not take the character U+000B"),
    (request("sns", b"x" * (MIB + 1)), "1048577 bytes are too many; SNS takes 1048576"),
    (request("sns", b""), "the body is empty, which SNS does not take"),
    (request("events", padded(MIB)), "1048576 bytes are too many; EventBridge takes 1048575"),
    (
        request("events", padded(MIB - 17), source="flagcast", detail_type="a", event_id="evt_0001"),
        "1048576 bytes are too many; EventBridge takes 1048575",
    ),
    (request("events", b"[]"), "the body is not a JSON object, and EventBridge takes nothing else"),
    (request("events", b"{"), "the body is not a JSON object, and EventBridge takes nothing else"),
    (request("events", b"[" * 10_000), "the body is not a JSON object, and EventBridge takes nothing else"),
    (
        request("events", detail_type="t" * 129),
        "the event's type is too long; EventBridge takes 128 characters as detail-type",
    ),
    (request("s3", key="é" * 513), "the key has 1026 bytes; S3 takes 1024"),
    (request("s3", attributes={"A": "é"}), "headers.A: S3 takes ASCII only; write it with | urlencode"),
    (
        request("s3", attributes={"A": "v" * 2048}),
        "headers: 2049 bytes are too many for an object's metadata; S3 takes 2048",
    ),
]


@pytest.mark.parametrize("made", TAKEN)
def test_what_a_service_takes_is_sent(made: AwsRequest) -> None:
    assert excess(made) is None


@pytest.mark.parametrize(("made", "said"), REFUSED)
def test_what_a_service_refuses_is_not_sent_and_says_the_limit(made: AwsRequest, said: str) -> None:
    assert excess(made) == said


@pytest.mark.parametrize(
    ("prefix", "source", "received_at", "key"),
    [
        ("", "flipt", "2026-01-02T03:04:06.789Z", "flipt/2026/01/02/evt_1.json"),
        ("a/b", "flipt", "2026-01-02T03:04:06.789Z", "a/b/flipt/2026/01/02/evt_1.json"),
        ("a", "flipt", "", "a/flipt/evt_1.json"),
    ],
)
def test_an_object_is_named_by_its_event_and_lies_under_its_source_and_day(
    prefix: str, source: str, received_at: str, key: str
) -> None:
    assert object_key(prefix, source, received_at, "evt_1", ".json") == key


FIFO_IDS = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}


@pytest.mark.parametrize(
    ("made", "fields"),
    [
        (request("sqs", attributes={"A": "b"}), {"A": "b"}),
        (request("sns", attributes={"A": "b"}), {"A": "b"}),
        (request("s3", attributes={"A": "b"}), {"Key": "k", "A": "b"}),
        (
            request(
                "events", attributes={"A": "b"}, source="flagcast.flipt", detail_type="flag:updated", event_id="evt_1"
            ),
            {"Source": "flagcast.flipt", "DetailType": "flag:updated", "Resources": "evt_1"},
        ),
    ],
)
def test_what_goes_beside_the_body_is_said_by_the_services_own_names(made: AwsRequest, fields: dict[str, str]) -> None:
    assert dict(made.fields) == fields
    assert made.fifo_ids == {}


@pytest.mark.parametrize("service", ["sqs", "sns"])
def test_a_fifo_queue_or_topic_gets_the_group_and_the_id_of_the_delivery(service: str) -> None:
    made = request(service)
    target = read_target(f"{made.target.arn}.fifo")
    assert isinstance(target, AwsTarget)
    of_fifo = structs.replace(made, target=target)
    assert (of_fifo.fifo_ids, dict(of_fifo.fields)) == (FIFO_IDS, FIFO_IDS)
