import pytest

from flagcast.tasks.received_message import Wear, read_record
from flagcast.tasks.task import Task, UnreadableTask, encode
from tests.unit.builders import message, task_for

# https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html, the record of a FIFO queue.
RECORD = {
    "messageId": "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5",
    "receiptHandle": "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw...",
    "body": encode(task_for()),
    "attributes": {
        "ApproximateReceiveCount": "3",
        "SentTimestamp": "1573251510774",
        "SequenceNumber": "18849496460467696128",
        "MessageGroupId": "1",
        "SenderId": "AIDAIO23YVJENQZJOL4VO",
        "MessageDeduplicationId": "1",
        "ApproximateFirstReceiveTimestamp": "1573251511000",
    },
    "messageAttributes": {},
    "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
    "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:fifo.fifo",
    "awsRegion": "us-east-2",
}


def test_a_record_becomes_a_message_with_its_times_in_seconds() -> None:
    read = read_record(RECORD)
    assert (read.id, read.receipt, read.group, read.sequence, read.receives) == (
        RECORD["messageId"], RECORD["receiptHandle"], "1", "18849496460467696128", 3,
    )  # fmt: skip
    assert read.sent_at == pytest.approx(1573251510.774)
    assert isinstance(read.task, Task)
    assert read.task == task_for()


def test_a_record_whose_body_is_no_task_is_a_message_all_the_same() -> None:
    assert isinstance(read_record({**RECORD, "body": "junk"}).task, UnreadableTask)


def test_a_record_without_a_sequence_number_has_an_empty_one() -> None:
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "0", "MessageGroupId": "g"}
    assert read_record({**RECORD, "attributes": attributes}).sequence == ""


def test_wear_is_counted_from_when_the_message_was_sent() -> None:
    assert message(receives=4, sent_at=1000).wear(1060) == Wear(4, 60)
