"""What CloudFormation knows of a stack."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct

from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account, error_code


class Deployed(Struct, frozen=True):
    """A stack's parameters and outputs, by name, its status, when it was made or last changed, and its ARN."""

    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    status: str = ""
    changed_at: str = ""
    arn: str = ""


def existing(cloudformation: Any, account: Account, stack: str, *needed: str) -> Deployed:
    """Return a stack of Flagcast's that has these outputs; raises CommandError."""
    there = deployed(cloudformation, account, stack)
    if there is None:
        raise CommandError(
            f"there is no stack {stack} in this account and region",
            "Give another name with --stack, or another place with --region or --profile.",
            "For the local stack, while `make dev` runs: flagcast --local and the command.",
        )
    if missing := [name for name in needed if name not in there.outputs]:
        raise CommandError(
            f"the stack {stack} has no output {' and no '.join(missing)}",
            "It is not a Flagcast stack, is of an earlier release, or its deployment is still running.",
        )
    return there


def deployed(cloudformation: Any, account: Account, stack: str) -> Deployed | None:
    """Return a stack, None where there is none of this name or only a change set for it; raises CommandError.

    CloudFormation answers ValidationError for a stack that it does not know:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    A stack under review has a name and no resources:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-describing-stacks.html
    """
    with account.asking(f"could not look up the stack {stack}"):
        try:
            [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if error_code(error) != "ValidationError":
                raise
            return None
    status = described.get("StackStatus", "")
    if status == "REVIEW_IN_PROGRESS":
        return None
    return Deployed(
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in described.get("Parameters", [])},
        {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])},
        status,
        str(described.get("LastUpdatedTime", described.get("CreationTime", ""))),
        described.get("StackId", ""),
    )
