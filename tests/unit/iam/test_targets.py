"""What TargetArns lets deliver send to: those, and nothing beside them."""

import re

import pytest

from flagcast.primitives.aws_target import AwsTarget, read_target
from tests.support.iam.decision import Call, decide
from tests.support.template import written
from tests.unit.iam.known import is_known
from tests.unit.iam.stacks import PLACES, SENDS, Stack, stack
from tests.unit.template.states import LONGEST_TARGETS, TARGETS

NEIGHBOURS = [
    ("sqs:SendMessage", "arn:aws:sqs:eu-central-1:123456789012:audit.fifo2"),
    ("sqs:SendMessage", "arn:aws:sqs:us-east-2:123456789012:audit.fifo"),
    ("sqs:ReceiveMessage", "arn:aws:sqs:eu-central-1:123456789012:audit.fifo"),
    ("sns:Publish", "arn:aws:sns:us-east-2:210987654321:changes-2"),
    ("sns:Publish", "arn:aws:sns:us-east-2:123456789012:changes"),
    ("events:PutEvents", "arn:aws:events:eu-central-1:123456789012:event-bus/default"),
    ("s3:PutObject", "arn:aws:s3:::audit-trail/flags"),
    ("s3:PutObject", "arn:aws:s3:::audit-trail/flagsmith/1"),
    ("s3:PutObject", "arn:aws:s3:::audit-trail/1"),
    ("s3:PutObject", "arn:aws:s3:::another-bucket/1"),
    ("s3:GetObject", "arn:aws:s3:::audit-trail/flags/1"),
    ("kms:Decrypt", "arn:aws:kms:us-east-2:210987654321:key/00000000-1a2b-3c4d-5e6f-1a2b3c4d5e6f"),
]
DELIVER, INGEST = "DeliverRole", "IngestRole"


def everything() -> Stack:
    return stack("everything", PLACES[0])


def test_deliver_may_send_to_what_the_parameter_lists_and_ingest_may_not() -> None:
    calls = everything().target_calls()
    assert len(calls) > len(TARGETS)
    assert {decide(everything().role(DELIVER), each) for each in calls} == {"allowed"}
    assert {decide(everything().role(INGEST), each) for each in calls} == {"implicitly denied"}
    assert {decide(stack("defaults", PLACES[0]).role(DELIVER), each) for each in calls} == {"implicitly denied"}


@pytest.mark.parametrize(("action", "resource"), NEIGHBOURS)
def test_what_is_beside_it_stays_denied(action: str, resource: str) -> None:
    assert decide(everything().role(DELIVER), Call(action, resource)) == "implicitly denied"


def test_what_a_destination_asks_for_is_what_the_parameter_gives() -> None:
    targets = [target for target in map(read_target, TARGETS) if isinstance(target, AwsTarget)]
    assert len(targets) == len(TARGETS) - 1  # the key
    assert [each.action for each in targets if each.action not in SENDS[each.service]] == []
    assert [action for actions in SENDS.values() for action in actions if not is_known(action)] == []


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [
        ("", True),
        *((each, True) for each in TARGETS),
        (",".join(TARGETS), True),
        ("arn:aws-cn:sqs:cn-north-1:123456789012:q", True),
        ("*", False),
        ("arn:aws:sqs:eu-central-1:123456789012:*", False),
        ("arn:aws:dynamodb:eu-central-1:123456789012:table/t", False),
        (f"{TARGETS[0]}, {TARGETS[1]}", False),
        (f"{TARGETS[0]},", False),
        (f",{TARGETS[0]}", False),
    ],
)
def test_the_parameter_takes_the_arns_of_targets_and_no_pattern_of_them(value: str, is_taken: bool) -> None:
    # A pattern would let deliver send to what is made later; an empty item would be the objects of every bucket.
    assert (re.fullmatch(written()["Parameters"]["TargetArns"]["AllowedPattern"], value) is not None) is is_taken


def test_the_roles_policies_hold_the_longest_list() -> None:
    # tests/unit/template/limits.py counts what is in them.
    longest = ",".join(LONGEST_TARGETS)
    assert 0 <= written()["Parameters"]["TargetArns"]["MaxLength"] - len(longest) < len(LONGEST_TARGETS[-1])
