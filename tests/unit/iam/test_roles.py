"""The functions' roles allow what the functions and Lambda ask of AWS, and nothing else."""

from collections.abc import Iterator
from itertools import product

import pytest

from tests.support.iam.decision import Call, Statement, decide, grants, missing, unused
from tests.support.iam.recorded import Role, calls_of
from tests.support.resolved import Place
from tests.support.template import written
from tests.unit.iam.known import faults
from tests.unit.iam.stacks import OPTIONS, PLACES, Stack, stack, strings

ROLES: dict[str, Role] = {"IngestRole": "ingest", "DeliverRole": "deliver"}
FUNCTIONS = {"IngestRole": "IngestFunction", "DeliverRole": "DeliverFunction"}

BY_LAMBDA = {
    "IngestRole": [("logs:CreateLogStream", "IngestLogGroup"), ("logs:PutLogEvents", "IngestLogGroup")],
    "DeliverRole": [
        ("logs:CreateLogStream", "DeliverLogGroup"),
        ("logs:PutLogEvents", "DeliverLogGroup"),
        ("sqs:ReceiveMessage", "TaskQueue"),
        ("sqs:DeleteMessage", "TaskQueue"),
        ("sqs:GetQueueAttributes", "TaskQueue"),
    ],
}
"""What Lambda itself asks for with a function's role: to write the log that LoggingConfig names, whose group is there
(https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html), and to poll the queue
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html, AWSLambdaSQSQueueExecutionRole)."""

ASKED_BY_NO_CALL = {"DeliverRole": [("s3:ListBucket", "BodiesBucket")]}
"""GetObject answers 404 for a missing object to who has it, else 403:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""

INTERFACES = [
    ("ec2:CreateNetworkInterface", "network-interface/eni-1"),
    ("ec2:CreateNetworkInterface", "subnet/subnet-1"),
    ("ec2:CreateNetworkInterface", "security-group/sg-1"),
    *(
        (f"ec2:{each}", "network-interface/eni-1")
        for each in ("DeleteNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses")
    ),
    ("ec2:DescribeNetworkInterfaces", ""),
    ("ec2:DescribeSubnets", ""),
]
"""What Lambda asks for where a function is in a VPC:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions"""


def interfaces(of: Stack) -> list[Call]:
    if not of.parameters["SubnetIds"]:
        return []
    return [
        Call(action, of.place.arn(f"ec2:{{region}}:{{account}}:{resource}") if resource else "*")
        for action, resource in INTERFACES
    ]


def calls(of: Stack, role: str) -> list[Call]:
    listed = [*calls_of(ROLES[role]), *BY_LAMBDA[role], *ASKED_BY_NO_CALL.get(role, [])]
    made = [of.call(*each) for each in listed]
    targets = of.target_calls() if role == "DeliverRole" else []
    return [*made, *of.key_calls(made), *interfaces(of), *targets]


def by_service(statements: list[Statement]) -> Iterator[Statement]:
    """Write the statements of TargetArns out, without what IAM is never asked for: a service's action on another's ARN.

    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    for each in statements:
        if each.get("Sid") not in ("SendToTargets", "PutObjectsIntoTargets"):
            yield each
            continue
        for grant in grants(each):
            if grant.action.partition(":")[0] == grant.resource.split(":")[2]:
                yield {**each, "Action": grant.action, "Resource": grant.resource}


def context(of: Stack) -> dict[str, str]:
    return {"aws:RequestedRegion": of.place.region}


@pytest.mark.parametrize(("role", "options", "place"), [*product(ROLES, OPTIONS, PLACES)])
def test_a_role_allows_what_is_asked_with_it_and_nothing_else(role: str, options: str, place: Place) -> None:
    of = stack(options, place)
    statements, asked = list(by_service(of.role(role))), calls(of, role)
    assert missing(statements, asked, context(of)) == []
    assert unused(statements, asked) == []
    assert list(faults(statements)) == []


@pytest.mark.parametrize("role", ROLES)
def test_the_functions_own_code_may_not_touch_network_interfaces(role: str) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html (lambda:SourceFunctionArn)
    of = stack("a VPC", PLACES[0])
    within = {**context(of), "lambda:SourceFunctionArn": of.arns[FUNCTIONS[role]]}
    decisions = {decide(of.role(role), each, within) for each in interfaces(of)}
    assert decisions == {"explicitly denied"}


def test_no_role_reaches_another_stack() -> None:
    mine, other = (stack("defaults", Place(name)) for name in ("flagcast", "flagcast-staging"))
    for role in ROLES:
        allowed = [each for each in calls(other, role) if decide(mine.role(role), each, context(mine)) == "allowed"]
        assert allowed == []


def test_no_partition_is_written_out_in_the_template() -> None:
    # `aws` is not the partition in China and in GovCloud. Patterns and descriptions of parameters name no resource.
    parts = (written()[part] for part in ("Globals", "Conditions", "Resources", "Outputs"))
    assert [text for part in parts for text in strings(part) if "arn:aws" in text] == []


def without(statements: list[Statement], action: str) -> list[Statement]:
    listed = [[each["Action"]] if isinstance(each["Action"], str) else each["Action"] for each in statements]
    return [
        {**each, "Action": kept}
        for each, actions in zip(statements, listed, strict=True)
        if (kept := [one for one in actions if one != action])
    ]


@pytest.mark.parametrize("role", ROLES)
def test_each_permission_is_missed_when_it_is_gone_and_noticed_when_nothing_asks_for_it(role: str) -> None:
    of = stack("everything", PLACES[0])
    statements, asked = list(by_service(of.role(role))), calls(of, role)
    for action in {each.action for each in asked}:
        gone = missing(without(statements, action), asked, context(of))
        assert {each.action for each in gone} == {action}
        left = unused(statements, [each for each in asked if each.action != action])
        assert {each.action for each in left} == {action}
