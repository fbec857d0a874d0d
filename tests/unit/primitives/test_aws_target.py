import pytest

from flagcast.primitives.aws_target import AwsTarget, NotATarget, read_target

QUEUE = "arn:aws:sqs:eu-west-1:111122223333"
TOPIC = "arn:aws:sns:eu-west-1:111122223333"
BUS = "arn:aws:events:eu-west-1:111122223333"
NO_PARTITION = "is not a partition of AWS; use arn:aws:..., arn:aws-cn:... and so on"
NO_QUEUE = "is not the name of a queue: 1 to 80 letters, digits, - or _"
NO_BUS = "is not the name of an event bus: event-bus/NAME"
NO_BUCKET = "is not the name of a bucket, or a bucket and a prefix: BUCKET or BUCKET/PREFIX, without / at the end"


@pytest.mark.parametrize(
    ("arn", "target", "is_fifo"),
    [
        (f"{QUEUE}:audit", ("sqs", "eu-west-1", "111122223333", "audit", ""), False),
        (f"{QUEUE}:audit.fifo", ("sqs", "eu-west-1", "111122223333", "audit.fifo", ""), True),
        (f"{QUEUE}:{'q' * 80}", ("sqs", "eu-west-1", "111122223333", "q" * 80, ""), False),
        ("arn:aws-cn:sqs:cn-north-1:111122223333:q", ("sqs", "cn-north-1", "111122223333", "q", ""), False),
        ("arn:aws-us-gov:sns:us-gov-west-1:111122223333:t.fifo",
         ("sns", "us-gov-west-1", "111122223333", "t.fifo", ""), True),
        (f"{TOPIC}:changes", ("sns", "eu-west-1", "111122223333", "changes", ""), False),
        (f"{BUS}:event-bus/default", ("events", "eu-west-1", "111122223333", "default", ""), False),
        (f"{BUS}:event-bus/a.fifo", ("events", "eu-west-1", "111122223333", "a.fifo", ""), False),
        ("arn:aws:s3:::audit-trail", ("s3", "", "", "audit-trail", ""), False),
        ("arn:aws:s3:::audit-trail/flipt/2", ("s3", "", "", "audit-trail", "flipt/2"), False),
    ],
)  # fmt: skip
def test_an_arn_says_what_is_sent_to(arn: str, target: tuple[str, ...], is_fifo: bool) -> None:
    found = read_target(arn)
    assert isinstance(found, AwsTarget), found
    assert (found.service, found.region, found.account, found.name, found.prefix) == target
    assert (found.arn, found.is_fifo) == (arn, is_fifo)


@pytest.mark.parametrize(
    ("arn", "detail"),
    [
        ("arn:", f'"" {NO_PARTITION}'),
        ("arn:amazon:sqs:eu-west-1:111122223333:q", f'"amazon" {NO_PARTITION}'),
        ("arn:aws:lambda:eu-west-1:111122223333:function:f",
         '"lambda" is not a service that Flagcast sends to; use sqs, sns, events or s3'),
        ("arn:aws:sqs::111122223333:q", '"" is not a region; use one such as eu-west-1'),
        ("arn:aws:sqs:Ireland:111122223333:q", '"Ireland" is not a region; use one such as eu-west-1'),
        ("arn:aws:sns:eu-west-1:1111:t", '"1111" is not an account; use its 12 digits'),
        ("arn:aws:sns:eu-west-1::t", '"" is not an account; use its 12 digits'),
        (f"{QUEUE}:my queue", f'"my queue" {NO_QUEUE}'),
        (f"{QUEUE}:{'q' * 81}", f'"{"q" * 81}" {NO_QUEUE}'),
        (f"{QUEUE}:{'q' * 76}.fifo", f'"{"q" * 76}.fifo" {NO_QUEUE}'),
        (f"{QUEUE}:q.standard", f'"q.standard" {NO_QUEUE}'),
        (QUEUE, f'"" {NO_QUEUE}'),
        (f"{TOPIC}:t:9a1c", '"t:9a1c" is not the name of a topic: 1 to 256 letters, digits, - or _'),
        (f"{BUS}:default", f'"default" {NO_BUS}'),
        (f"{BUS}:event-bus/aws.partner/a", f'"event-bus/aws.partner/a" {NO_BUS}'),
        ("arn:aws:s3:eu-west-1:111122223333:accesspoint/a",
         "the ARN of a bucket has no region and no account; use arn:aws:s3:::BUCKET/PREFIX"),
        ("arn:aws:s3:::Bucket", f'"Bucket" {NO_BUCKET}'),
        ("arn:aws:s3:::bucket/", f'"bucket/" {NO_BUCKET}'),
        ("arn:aws:s3:::bucket/*", f'"bucket/*" {NO_BUCKET}'),
        ("arn:aws:s3:::bucket//a", f'"bucket//a" {NO_BUCKET}'),
    ],
)  # fmt: skip
def test_an_arn_that_nothing_can_be_sent_to_says_what_was_found_and_what_is_allowed(arn: str, detail: str) -> None:
    assert read_target(arn) == NotATarget(detail)


def test_the_permission_is_that_of_the_service() -> None:
    arns = (f"{QUEUE}:q", f"{TOPIC}:t", f"{BUS}:event-bus/b", "arn:aws:s3:::bucket")
    found = [target.action for target in map(read_target, arns) if isinstance(target, AwsTarget)]
    assert found == ["sqs:SendMessage", "sns:Publish", "events:PutEvents", "s3:PutObject"]
