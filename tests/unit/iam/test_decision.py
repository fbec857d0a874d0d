"""The evaluator decides as AWS's documentation says that IAM does."""

from typing import Any

import pytest

from tests.support.iam.decision import Call, Decision, Statement, decide, missing, unused

QUEUE = "arn:aws:sqs:us-east-1:123456789012:tasks.fifo"
SEND = Call("sqs:SendMessage", QUEUE)


def allow(action: Any = "sqs:SendMessage", resource: Any = QUEUE, condition: Any = None) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition or {}}


def deny(action: Any = "sqs:SendMessage", resource: Any = QUEUE, condition: Any = None) -> Statement:
    return {**allow(action, resource, condition), "Effect": "Deny"}


LOGIC = "reference_policies_evaluation-logic_policy-eval-basics.html"
ACTION = "reference_policies_elements_action.html"
RESOURCE = "reference_policies_elements_resource.html"
OPERATORS = "reference_policies_elements_condition_operators.html"
LOGICAL = "reference_policies_condition-logic-multiple-context-keys-or-values.html"
"""Pages of https://docs.aws.amazon.com/IAM/latest/UserGuide/"""

RULES: list[tuple[str, str, list[Statement], Decision]] = [
    (LOGIC, "what no policy speaks of is denied", [], "implicitly denied"),
    (LOGIC, "what is allowed is allowed", [allow()], "allowed"),
    (LOGIC, "an explicit deny overrides an allow", [allow(), deny()], "explicitly denied"),
    (LOGIC, "whichever comes first", [deny(), allow()], "explicitly denied"),
    (LOGIC, "a deny of all overrides an allow of one", [allow(), deny("*", "*")], "explicitly denied"),
    (LOGIC, "a deny of something else does not", [allow(), deny("sqs:ReceiveMessage")], "allowed"),
    (LOGIC, "a deny allows nothing else", [deny("sqs:ReceiveMessage")], "implicitly denied"),
    (ACTION, "one of several actions", [allow(["sqs:ReceiveMessage", "sqs:SendMessage"])], "allowed"),
    (ACTION, "actions have no case", [allow("SQS:sendmessage")], "allowed"),
    (ACTION, "a wildcard in the action", [allow("sqs:Send*")], "allowed"),
    (ACTION, "a single character", [allow("sqs:?endMessage")], "allowed"),
    (ACTION, "a name is not a prefix", [allow("sqs:Send")], "implicitly denied"),
    (ACTION, "another service", [allow("sns:SendMessage")], "implicitly denied"),
    (RESOURCE, "one of several resources", [allow(resource=["arn:aws:sqs:::x", QUEUE])], "allowed"),
    (RESOURCE, "resources have a case", [allow(resource=QUEUE.upper())], "implicitly denied"),
    (RESOURCE, "everything", [allow(resource="*")], "allowed"),
    (RESOURCE, "a wildcard at the end", [allow(resource=QUEUE[:-4] + "*")], "allowed"),
    (RESOURCE, "a dot is a dot", [allow(resource=QUEUE.replace("1:", ".:"))], "implicitly denied"),
    (RESOURCE, "a character in a segment", [allow(resource=QUEUE.replace("tasks", "task?"))], "allowed"),
    (RESOURCE, "a character is one", [allow(resource=QUEUE.replace("tasks", "tasks?"))], "implicitly denied"),
    (RESOURCE, "the last of a segment goes beyond colons", [allow(resource="arn:aws:sqs:us-*:tasks.fifo")], "allowed"),
    (RESOURCE, "another does not", [allow(resource="arn:aws:sqs:us-*2:tasks.fifo")], "implicitly denied"),
    (
        OPERATORS,
        "an equal string",
        [allow(condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})],
        "allowed",
    ),
    (
        OPERATORS,
        "keys have no case",
        [allow(condition={"StringEquals": {"AWS:requestedregion": "us-east-1"}})],
        "allowed",
    ),
    (
        OPERATORS,
        "values have",
        [allow(condition={"StringEquals": {"aws:RequestedRegion": "US-EAST-1"}})],
        "implicitly denied",
    ),
    (
        OPERATORS,
        "an equal string knows no wildcards",
        [allow(condition={"StringEquals": {"aws:RequestedRegion": "us-*"}})],
        "implicitly denied",
    ),
    (OPERATORS, "a string that is like", [allow(condition={"StringLike": {"aws:RequestedRegion": "us-*"}})], "allowed"),
    (
        OPERATORS,
        "an ARN that is like",
        [allow(condition={"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:*"}})],
        "allowed",
    ),
    (
        OPERATORS,
        "each segment of an ARN by itself",
        [allow(condition={"ArnLike": {"aws:SourceArn": "arn:*:function:f"}})],
        "implicitly denied",
    ),
    (
        OPERATORS,
        "a key that the request has not",
        [allow(condition={"StringLike": {"aws:PrincipalTag/team": "*"}})],
        "implicitly denied",
    ),
    (
        OPERATORS,
        "a deny, too, needs its condition",
        [allow(), deny(condition={"StringLike": {"aws:PrincipalTag/team": "*"}})],
        "allowed",
    ),
    (
        LOGICAL,
        "one of several values",
        [allow(condition={"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}})],
        "allowed",
    ),
    (
        LOGICAL,
        "all of several keys",
        [allow(condition={"StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:PrincipalTag/team": "a"}})],
        "implicitly denied",
    ),
    (
        LOGICAL,
        "all of several operators",
        [
            allow(
                condition={
                    "StringEquals": {"aws:RequestedRegion": "us-east-1"},
                    "ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"},
                }
            )
        ],
        "implicitly denied",
    ),
]
CONTEXT = {"aws:RequestedRegion": "us-east-1", "aws:SourceArn": "arn:aws:lambda:us-east-1:123456789012:function:f"}


@pytest.mark.parametrize(("page", "rule", "statements", "decision"), RULES, ids=[each[1] for each in RULES])
def test_decides_as_the_documentation_says(
    page: str, rule: str, statements: list[Statement], decision: Decision
) -> None:
    assert (page, rule, decide(statements, SEND, CONTEXT)) == (page, rule, decision)


@pytest.mark.parametrize("more", [{"NotAction": "sqs:*"}, {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}])
def test_what_it_does_not_know_it_refuses(more: Statement) -> None:
    with pytest.raises(NotImplementedError):
        decide([{**allow(), **more}], SEND, {"aws:SecureTransport": "true"})


def test_says_what_is_missing_and_what_is_allowed_for_nothing() -> None:
    statements = [allow(["sqs:SendMessage", "sqs:DeleteMessage"]), deny("sqs:DeleteMessage")]
    receive, delete = Call("sqs:ReceiveMessage", QUEUE), Call("sqs:DeleteMessage", QUEUE)
    assert missing(statements, [SEND, receive, delete]) == [receive, delete]
    assert unused(statements, [SEND]) == [delete]
    assert unused(statements, [SEND, Call("sqs:DeleteMessage", QUEUE + "2")]) == [delete]
    assert unused(statements, [SEND, delete]) == []
