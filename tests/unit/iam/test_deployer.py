"""docs/iam/deployer.json allows what `sam deploy`, `sam delete` and CloudFormation ask for this template, no more."""

from itertools import product

import pytest

from tests.support.iam.decision import Call, Statement, decide, grants, missing, unused
from tests.support.resolved import Place
from tests.support.template import resources
from tests.unit.iam.deploying import ONLY_FOR, UNLISTED, by_cloudformation, by_hand, by_sam, left_out
from tests.unit.iam.documents import IN_A_ROLE, size, statements
from tests.unit.iam.known import asked_by_cloudformation, faults
from tests.unit.iam.stacks import PLACES, Stack, stack

NAME = "deployer.json"
OPTIONS = ["defaults", "a key of one's own", "a VPC", "everything"]
TRANSFORM = "aws:transform/Serverless-2016-10-31"
"""IAM's reference does not list what CloudFormation's own page asks for: by_sam says where."""


def calls(of: Stack) -> list[Call]:
    """Return all of it; a SecretPrefix of one's own is not in the policy as it is given."""
    made = {*by_sam(of), *by_cloudformation(of), *by_hand(of)}
    return sorted(
        each
        for each in made
        if not (of.parameters["SecretPrefix"] and each.action.startswith("secretsmanager:") and each.resource != "*")
    )


def context(of: Stack, call: Call) -> dict[str, str]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html and
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html."""
    within = {"aws:RequestedRegion": of.place.region}
    if call.action == "iam:PassRole":
        within["iam:PassedToService"] = "lambda.amazonaws.com"
    if call.action == "lambda:CreateEventSourceMapping":
        within["lambda:FunctionArn"] = of.arns["DeliverFunction"]
    return within


def denied(allowed: list[Statement], of: Stack, asked: list[Call]) -> list[Call]:
    return [each for each in asked if missing(allowed, [each], context(of, each))]


@pytest.mark.parametrize(("options", "place"), [*product(OPTIONS, PLACES)])
def test_the_deployers_policy_allows_every_step_of_a_deploy_and_of_a_delete(options: str, place: Place) -> None:
    of = stack(options, place)
    allowed = statements(NAME, of)
    assert denied(allowed, of, calls(of)) == []
    assert [each for each in faults(allowed) if TRANSFORM not in each and not each.startswith(UNLISTED)] == []
    assert size(NAME, of) <= IN_A_ROLE


def test_nothing_in_it_is_for_nothing() -> None:
    # What only some options ask for is in all stacks' policy, but for the key.
    asked = [call for each in OPTIONS for call in calls(stack(each, PLACES[0]))]
    assert unused(statements(NAME, stack("a key of one's own", PLACES[0])), asked) == []


def test_its_wildcards_only_read() -> None:
    actions = {each.action for one in statements(NAME, stack("everything", PLACES[0])) for each in grants(one)}
    wide = {each.partition(":")[2] for each in actions if "*" in each}
    assert [each for each in wide if not each.startswith(("Get", "Describe"))] == []


def test_bound_as_the_page_says_it_makes_no_role_without_the_boundary() -> None:
    of = stack("everything", PLACES[0])
    bound = {"iam:PermissionsBoundary": of.parameters["PermissionsBoundaryArn"]}
    statement = {each["Sid"]: each for each in statements(NAME, of)}["WhatRolesMayDo"]
    allowed = [
        {
            **statement,
            "Action": [each for each in statement["Action"] if each != "iam:DeleteRolePermissionsBoundary"],
            "Condition": {"StringEquals": bound},
        }
    ]
    asked = [each for each in calls(of) if each.action in statement["Action"]]
    assert {each.action for each in asked} == {*statement["Action"]}
    assert {each.action for each in missing(allowed, asked, bound)} == {"iam:DeleteRolePermissionsBoundary"}
    assert missing(allowed, asked) == asked
    assert missing(allowed, asked, {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}) == asked


def test_it_passes_only_the_stacks_roles_and_those_to_lambda_alone() -> None:
    of, other = (stack("defaults", Place(name)) for name in ("flagcast", "other"))
    allowed = statements(NAME, of)
    own, foreign = (Call("iam:PassRole", each.arns["IngestRole"]) for each in (of, other))
    assert decide(allowed, own, context(of, own)) == "allowed"
    assert decide(allowed, own, {"iam:PassedToService": "ec2.amazonaws.com"}) == "implicitly denied"
    assert decide(allowed, foreign, context(of, foreign)) == "implicitly denied"


def test_it_changes_nothing_of_another_stack_but_what_iam_cannot_tell_apart() -> None:
    of, other = (stack("everything", Place(name)) for name in ("flagcast", "other"))
    allowed = statements(NAME, of)
    asked = [each for each in by_cloudformation(other) if each.resource not in {"*", of.parameters["KmsKeyArn"]}]
    reached = {each.action for each in asked if decide(allowed, each, context(other, each)) == "allowed"}
    services = {each.partition(":")[0] for each in reached - {"s3:GetObject", "s3:GetObjectVersion"}}
    assert services == {"apigateway", "lambda"}
    assert {each for each in reached if each.startswith("lambda:")} == {
        "lambda:DeleteEventSourceMapping",
        "lambda:GetEventSourceMapping",
        "lambda:ListTags",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateEventSourceMapping",
    }


@pytest.mark.parametrize(("kind", "name"), ONLY_FOR)
def test_what_is_left_out_is_for_a_property_that_no_resource_has(kind: str, name: str) -> None:
    for each in OPTIONS:
        for _, properties in resources({"Resources": stack(each, PLACES[0]).resources}, kind):
            assert name not in properties


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in ONLY_FOR}))
def test_what_is_left_out_is_what_cloudformation_asks_for(kind: str) -> None:
    asked = {action for actions in asked_by_cloudformation(kind).values() for action in actions}
    assert left_out(kind) - asked == set()
