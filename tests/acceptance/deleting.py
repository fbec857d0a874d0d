"""What belongs to a run, how it is deleted, and what is left of it. Nothing that another made is touched."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from flagcast_cli.aws import error_code
from flagcast_cli.console import CommandError
from tests.acceptance.places import TAG, Place
from tests.acceptance.steps import until

CLOUDFORMATION_PATIENCE = 30 * 60
GONE_PATIENCE = 5 * 60
_UNDER_REVIEW = "REVIEW_IN_PROGRESS"


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


def is_ours(place: Place, found: dict[str, Any]) -> bool:
    return {"Key": TAG, "Value": place.stack} in found.get("Tags", [])


def require_nothing_there(place: Place) -> None:
    """Raise CommandError if either stack is there already: a run works on what it made itself."""
    for name in names(place.stack):
        found = described(place, name)
        if found and found["StackStatus"] != "DELETE_COMPLETE":
            if is_ours(place, found):
                raise CommandError(
                    f"the stack {name} is there: an earlier run left it",
                    f"Delete what it made: make acceptance STACK={place.stack} ARGS=--clean",
                )
            raise CommandError(
                f"the stack {name} is there, and this run did not make it (it has no tag {TAG}={place.stack})",
                "Nothing was changed. Choose a name that no stack has: make acceptance STACK=another-name",
            )


def delete_stacks(place: Place) -> None:
    """Delete both stacks if they are there; raises CommandError, and deletes neither, if one is another's."""
    there = [found for name in names(place.stack) if (found := described(place, name))]
    foreign = [each["StackName"] for each in there if not is_ours(place, each)]
    if foreign:
        raise CommandError(f"{foreign[0]} was not made by this run and is not deleted", "Look at its tags.")
    for each in there:
        _delete_stack(place, each["StackId"])


def _delete_stack(place: Place, stack_id: str) -> None:
    cloudformation = place.client("cloudformation")
    look_at = f"aws cloudformation describe-stack-events --stack-name {stack_id}"

    def is_settled() -> bool | None:
        """An update that was interrupted goes on by itself, and a stack cannot be deleted meanwhile."""
        status = (described(place, stack_id) or {}).get("StackStatus", "DELETE_COMPLETE")
        return True if status == _UNDER_REVIEW or not status.endswith("_IN_PROGRESS") else None

    until(f"{stack_id} is still being changed", is_settled, CLOUDFORMATION_PATIENCE, look_at)
    cloudformation.delete_stack(StackName=stack_id)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=stack_id, WaiterConfig={"Delay": 2, "MaxAttempts": CLOUDFORMATION_PATIENCE // 2}
        )
    except WaiterError as error:
        raise CommandError(f"{stack_id} could not be deleted", look_at) from error


def delete_kept(place: Place) -> None:
    """Delete what outlives a stack that was made here, the signing secret, and the parameters of the run."""
    for kind, name in kept(place):
        KEPT[kind][0](place, name)
    for secret in _secrets(place):
        # Without force it would be in the way of the next run for days:
        # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
        place.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    for parameter in _parameters(place):
        place.client("ssm").delete_parameter(Name=parameter)


def kept(place: Place) -> Iterator[tuple[str, str]]:
    """Yield the type and name of what deleted stacks of the run's name left, for 90 days, and is still there.

    A retained resource is DELETE_SKIPPED (docs/operations.md, "Deleting"). A deleted stack goes by its id alone:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    """
    for stack_id in deleted_stacks(place):
        for each in resources(place, stack_id):
            kind, name = each["ResourceType"], each["PhysicalResourceId"]
            if each["ResourceStatus"] == "DELETE_SKIPPED" and KEPT[kind][1](place, name):
                yield kind, name


def deleted_stacks(place: Place) -> list[str]:
    """Return the ids of the run's stacks that were deleted, this run's and earlier ones'."""
    pages = place.client("cloudformation").get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    ids = [each["StackId"] for page in pages for each in page["StackSummaries"] if each["StackName"] == place.stack]
    return [each for each in ids if (found := described(place, each)) and is_ours(place, found)]


def resources(place: Place, stack: str) -> list[dict[str, Any]]:
    pages = place.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [each for page in pages for each in page["StackResourceSummaries"]]


def show_nothing_left(place: Place) -> None:
    """List what is left of the run until there is nothing; raises CommandError with the list.

    Tables, queues and secrets go a while after they were deleted; of a queue AWS says up to 60 seconds:
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
    """Return the name of everything of the run that is still there."""
    stacks = [name for name in names(place.stack) if described(place, name)]
    return [*stacks, *(f"{kind} {name}" for kind, name in kept(place)), *_secrets(place), *_parameters(place)]


def _secrets(place: Place) -> list[str]:
    """Return the names of the run's secrets, by prefix and tag; those that are being deleted are not listed.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
    """
    pages = place.client("secretsmanager").get_paginator("list_secrets")
    named = [{"Key": "name", "Values": [f"flagcast/{place.stack}/"]}]
    found = [each for page in pages.paginate(Filters=named) for each in page["SecretList"]]
    return [each["Name"] for each in found if is_ours(place, each)]


def _parameters(place: Place) -> list[str]:
    ssm = place.client("ssm")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=f"/flagcast/{place.stack}/", Recursive=True)
    found = [each["Name"] for page in pages for each in page["Parameters"]]
    return [name for name in found if is_ours(place, _tags_of_parameter(ssm, name))]


def _tags_of_parameter(ssm: Any, name: str) -> dict[str, Any]:
    return {"Tags": ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]}


def _delete_queue(place: Place, name: str) -> None:
    place.client("sqs").delete_queue(QueueUrl=name)


def _delete_table(place: Place, name: str) -> None:
    place.client("dynamodb").delete_table(TableName=name)


def _delete_bucket(place: Place, name: str) -> None:
    """A bucket must be empty: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html."""
    s3 = place.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for each in page.get("Contents", []):
            s3.delete_object(Bucket=name, Key=each["Key"])
    s3.delete_bucket(Bucket=name)


def _answers(missing: tuple[str, ...], ask: Callable[[], object]) -> bool:
    """Tell whether something is there; raises ClientError for every other answer."""
    try:
        ask()
    except ClientError as error:
        if error_code(error) not in missing:
            raise
        return False
    return True


def _is_queue(place: Place, name: str) -> bool:
    missing = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
    return _answers(missing, lambda: place.client("sqs").get_queue_attributes(QueueUrl=name, AttributeNames=["All"]))


def _is_table(place: Place, name: str) -> bool:
    """A table takes a while to go: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html."""
    return _answers(("ResourceNotFoundException",), lambda: place.client("dynamodb").describe_table(TableName=name))


def _is_bucket(place: Place, name: str) -> bool:
    return _answers(("404", "NoSuchBucket"), lambda: place.client("s3").head_bucket(Bucket=name))


KEPT: dict[str, tuple[Callable[[Place, str], None], Callable[[Place, str], bool]]] = {
    "AWS::SQS::Queue": (_delete_queue, _is_queue),
    "AWS::DynamoDB::Table": (_delete_table, _is_table),
    "AWS::S3::Bucket": (_delete_bucket, _is_bucket),
}
"""How each type that the template keeps is deleted, and how to see whether it is there."""
