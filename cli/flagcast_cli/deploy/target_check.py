"""Whether a stack may send to the AWS services that its destinations are, and whether an event bus is there."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from botocore.exceptions import ClientError

from flagcast.config.model import Configuration, Destination, Problem
from flagcast.config.value_path import join
from flagcast.primitives.aws_target import AwsTarget, read_target
from flagcast_cli.deploy.stored_secrets import Fault
from flagcast_cli.stack.account import Account, error_code

PARAMETER = "TargetArns"


def not_granted(configuration: Configuration, granted: str) -> Iterator[Fault]:
    """Yield a fault for each destination whose ARN the parameter lacks, with the value that it must have. Pure."""
    listed = [each for each in granted.split(",") if each]
    wanted = targets_of(configuration)
    value = ",".join(dict.fromkeys([*listed, *(each.arn for each in wanted.values())]))
    for path, target in wanted.items():
        if target.arn not in listed:
            what = f"the stack's parameter {PARAMETER} does not have {target.arn}, so {target.action} is denied"
            fix = f"Add this to parameter_overrides in samconfig.toml: {PARAMETER}={value}"
            yield Fault(Problem(path, what), fix)


def missing_buses(configuration: Configuration, account: Account) -> Iterator[Problem | Fault]:
    """Yield each event bus that is not there: EventBridge accepts events for one, and drops them.

    https://github.com/aws/aws-cli/issues/9186 and
    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html
    """
    for path, target in targets_of(configuration).items():
        if target.service != "events":
            continue
        events = replace(account, region=target.region).clients()("events")
        with account.asking(f"could not look up the event bus {target.arn}"):
            try:
                events.describe_event_bus(Name=target.arn)
            except ClientError as error:
                yield _of_bus(path, target, error)


def _of_bus(path: str, target: AwsTarget, error: ClientError) -> Problem | Fault:
    code, drops = error_code(error), "EventBridge accepts events for a bus that does not exist, and drops them"
    if code == "ResourceNotFoundException":
        fix = f"aws events create-event-bus --region {target.region} --name {target.name}"
        return Fault(Problem(path, f"there is no event bus {target.arn}; {drops}"), fix)
    what = f"could not look up the event bus ({code}); {drops}: verify that it exists"
    return Problem(path, what, is_warning=True)


def targets_of(configuration: Configuration) -> Mapping[str, AwsTarget]:
    """Return the AWS services that destinations send to, by the path of each one's url."""
    return {
        f"{join('destinations', name)}.url": target
        for name, each in configuration.destinations.items()
        if isinstance(each, Destination) and each.is_aws
        if isinstance(target := read_target(each.url), AwsTarget)
    }
