"""docs/iam/operator.json allows what the command line asks of AWS, and nothing else."""

from itertools import product

import pytest

from tests.support.iam.decision import Call, decide, missing, unused
from tests.support.iam.recorded import calls_of
from tests.support.resolved import Place
from tests.unit.iam.documents import MANAGED, size, statements
from tests.unit.iam.known import faults
from tests.unit.iam.stacks import PLACES, Stack, stack

NAME = "operator.json"
ASKED_BY_NO_CALL = [("s3:ListBucket", "BodiesBucket"), ("s3:ListBucket", "ArchiveBucket")]
"""As for deliver: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""


def calls(of: Stack) -> list[Call]:
    made = [of.call(*each) for each in [*calls_of("operator"), *ASKED_BY_NO_CALL]]
    return [*made, *of.key_calls(made)]


@pytest.mark.parametrize(("options", "place"), [*product(["defaults", "a key of one's own"], PLACES)])
def test_the_operators_policy_allows_what_the_commands_ask_and_nothing_else(options: str, place: Place) -> None:
    of = stack(options, place)
    allowed = statements(NAME, of)
    assert missing(allowed, calls(of), {"aws:RequestedRegion": place.region}) == []
    assert unused(allowed, calls(of)) == []
    assert list(faults(allowed)) == []
    assert size(NAME, of) <= MANAGED


def test_it_reaches_nothing_of_another_stack_but_what_has_no_name() -> None:
    mine, other = (stack("defaults", Place(name)) for name in ("flagcast", "other"))
    allowed = statements(NAME, mine)
    context = {"aws:RequestedRegion": "us-east-1"}
    reached = {each.action for each in calls(other) if decide(allowed, each, context) == "allowed"}
    assert reached == {
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricStatistics",
        "events:DescribeEventBus",
        "lambda:GetEventSourceMapping",
        "sns:ListSubscriptionsByTopic",
        "ssm:DescribeParameters",
    }
