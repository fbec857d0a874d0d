"""A deployed stack: what CloudFormation says that it consists of, and where its public address is."""

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from flagcast_cli.console import CommandError
from flagcast_cli.doctor.aws_lookup import AwsLookup
from flagcast_cli.doctor.facts import Where
from flagcast_cli.doctor.finding import Unknown
from flagcast_cli.stack.deployed import Deployed
from flagcast_cli.stack.secret_prefixes import Prefixes, prefixes_of

_CLOSED = Unknown(
    "the API's own address is turned off (DefaultEndpoint)", ("Add --url with your domain, or set FLAGCAST_URL.",)
)


class Resources(Struct, frozen=True):
    """Physical ids, by logical id and by type."""

    ids: Mapping[str, str]
    types: Mapping[str, tuple[str, ...]]


class Stack(Struct, frozen=True):
    """A deployed stack, and how to ask about it; `base` is its public address, without a path."""

    where: Where
    deployed: Deployed
    looking: AwsLookup
    resources: Resources | Unknown
    base: str
    closed: Unknown | None
    """Why nothing answers at the public address, where that is known beforehand."""
    now: float

    def of[T](self, ask: Callable[[Resources], T]) -> T | Unknown:
        """Ask about a resource, where it is known which there are."""
        return self.resources if isinstance(self.resources, Unknown) else ask(self.resources)

    @property
    def prefixes(self) -> Prefixes:
        """Return what secrets and parameters are looked up under."""
        return prefixes_of(self.where.stack, self.deployed.parameters)

    def webhook_url(self, source: str) -> str:
        """Return where a source receives."""
        return f"{self.base}/webhooks/{source}"


def stack_at(where: Where, deployed: Deployed, looking: AwsLookup, url: str | None, now: float) -> Stack:
    """Ask what the stack consists of; `url` stands for its public address. Raises CommandError where it has none."""
    base = _base(url or deployed.outputs.get("HealthUrl", ""))
    if not base:
        raise CommandError(
            f"the stack {where.stack} is {deployed.status} and has no output HealthUrl",
            "It is not a Flagcast stack, or its deployment failed or is still running.",
            f"flagcast check --stack {where.stack} tells you if you must delete it first.",
        )
    closed = _CLOSED if url is None and deployed.parameters.get("DefaultEndpoint") == "off" else None
    return Stack(where, deployed, looking, _resources(looking, where.stack), base, closed, now)


def _base(url: str) -> str:
    """Return the public address of an address beneath it: the outputs WebhookUrl and HealthUrl are both at hand."""
    return re.sub(r"/(webhooks/[^/]*|health)?/?$", "", url)


def _resources(looking: AwsLookup, stack: str) -> Resources | Unknown:
    def ask() -> Resources:
        # The first 100, of which a stack has about 60:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
        found = looking.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        there = [each for each in found if each.get("PhysicalResourceId")]
        types: dict[str, tuple[str, ...]] = {}
        for each in there:
            types[each["ResourceType"]] = (*types.get(each["ResourceType"], ()), each["PhysicalResourceId"])
        return Resources({each["LogicalResourceId"]: each["PhysicalResourceId"] for each in there}, types)

    return looking.known("could not list the stack's resources", ask)
