"""What belongs to a run, how it is deleted, and what is left of it. Nothing that another made is touched."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import error_code
from tests.acceptance.kinds import KINDS
from tests.acceptance.places import TAG, Place
from tests.acceptance.steps import until

CLOUDFORMATION_PATIENCE = 30 * 60
GONE_PATIENCE = 5 * 60
LONGEST_NAME = 32
"""CloudFormation cuts longer names of stacks in the names that it generates; a bucket's has at most 63 characters."""


def names(stack: str) -> tuple[str, str]:
    """Return the names of both stacks of a run: Flagcast's, and the receiver's."""
    return stack, f"{stack}-receiver"


def described(place: Place, stack: str) -> dict[str, Any] | None:
    """Return what CloudFormation says of a stack, by its name or id; None if there is none.

    It answers ValidationError for a stack that it does not know:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    """
    try:
        found: dict[str, Any] = place.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        return None
    return found


def stacks(place: Place) -> Iterator[dict[str, Any]]:
    """Yield those of both stacks that are there, whatever made them."""
    for name in names(place.stack):
        found = described(place, name)
        if found and found["StackStatus"] != "DELETE_COMPLETE":
            yield found


def require_nothing_there(place: Place) -> None:
    """Raise CommandError if anything of these names is there: a run works on what it made itself."""
    if len(place.stack) > LONGEST_NAME:
        raise CommandError(f"{place.stack} is longer than {LONGEST_NAME} characters", "Choose a shorter name.")
    there = [(f"the stack {each['StackName']}", is_ours(place, each)) for each in stacks(place)]
    there += [(f"{kind} {name}", is_tagged(place, kind, name)) for kind, name in named(place)]
    for what, ours in there:
        if not ours:
            raise CommandError(
                f"{what} is there, and this did not make it (it has no tag {TAG}={place.stack})",
                "Nothing was changed. Choose a name that no stack has: make acceptance STACK=another-name",
            )
    if there:
        raise CommandError(
            f"{there[0][0]} is there: an earlier run left it",
            f"Delete what it made: make acceptance STACK={place.stack} ARGS=--clean",
        )


def delete_stacks(place: Place) -> None:
    """Delete both stacks if they are there; raises CommandError, and deletes neither, if one is another's."""
    there = list(stacks(place))
    for each in there:
        if not is_ours(place, each):
            raise CommandError(f"{each['StackName']} was not made by this run and is not deleted", "Look at its tags.")
    for each in there:
        _delete_stack(place, each["StackId"])


def _delete_stack(place: Place, stack_id: str) -> None:
    cloudformation = place.client("cloudformation")
    look_at = f"aws cloudformation describe-stack-events --stack-name {stack_id}"

    def is_settled() -> bool | None:
        """Return whether nothing changes it: an update that was interrupted here goes on there."""
        status = (described(place, stack_id) or {}).get("StackStatus", "DELETE_COMPLETE")
        # A change set that was never executed: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-describing-stacks.html
        return True if status == "REVIEW_IN_PROGRESS" or not status.endswith("_IN_PROGRESS") else None

    until(f"{stack_id} is still being changed", is_settled, CLOUDFORMATION_PATIENCE, look_at)
    cloudformation.delete_stack(StackName=stack_id)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=stack_id, WaiterConfig={"Delay": 2, "MaxAttempts": CLOUDFORMATION_PATIENCE // 2}
        )
    except WaiterError as error:
        raise CommandError(f"{stack_id} could not be deleted", look_at) from error


def delete_kept(place: Place) -> None:
    """Delete what outlives a stack, the parameters, and the signing secret if it is there: what has the run's tag."""
    for kind, name in named(place):
        if is_tagged(place, kind, name):
            KINDS[kind].delete(place, name)


def show_nothing_left(place: Place) -> None:
    """List what is left of the run until there is nothing; raises CommandError with the list.

    What was deleted goes after a while; a queue within 60 seconds:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
    """
    seen: list[str] = []

    def is_gone() -> bool | None:
        seen[:] = left(place)
        return None if seen else True

    try:
        until("something is left", is_gone, GONE_PATIENCE)
    except CommandError as error:
        raise CommandError(str(error), *seen, f"make acceptance STACK={place.stack} ARGS=--clean") from error


def left(place: Place) -> list[str]:
    """Return everything of the run's names that is there, as each service lists it, with the run's tag or without."""
    there = [f"the stack {each['StackName']}" for each in stacks(place)]
    return there + [f"{kind} {name}" for kind, name in named(place)]


def named(place: Place) -> list[tuple[str, str]]:
    """Return the kind and name of whatever has a name that a run gives."""
    return [
        (kind, name)
        for kind, its in KINDS.items()
        for name in its.names(place)
        if name.startswith(its.prefixes(place.stack))
    ]


def is_ours(place: Place, described: dict[str, Any]) -> bool:
    return {"Key": TAG, "Value": place.stack} in described.get("Tags", [])


def is_tagged(place: Place, kind: str, name: str) -> bool:
    return KINDS[kind].tags(place, name).get(TAG) == place.stack
