"""What IAM knows: its actions and the resources of each, as cfn-lint keeps them.

Made from https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint

from tests.support.iam.decision import Call, Statement, grants, like, matches

DATA = Path(cfnlint.__file__).parent / "data"


@cache
def services() -> dict[str, Any]:
    """Return IAM's services: actions in lower case with their types of resources, and the ARNs of these."""
    read: dict[str, Any] = json.loads((DATA / "AdditionalSpecs/Policies.json").read_text())
    return read


def is_known(action: str) -> bool:
    """Return whether IAM knows an action, or one that is like a pattern."""
    service, _, name = action.partition(":")
    return any(like(name.lower(), each) for each in services().get(service, {}).get("Actions", {}))


def has_resources(action: str) -> bool:
    """Return whether IAM can allow an action for some resources alone; else for `*` or not at all."""
    service, _, name = action.partition(":")
    return bool(services()[service]["Actions"][name.lower()].get("Resources"))


def faults(statements: list[Statement]) -> Iterator[str]:
    """Yield each grant that IAM would take and that does nothing: no such action, or never for such a resource."""
    for statement in statements:
        for grant in grants(statement):
            if not is_known(grant.action):
                yield f"{grant.action} is no action"
            elif grant.resource != "*" and not _fits(grant):
                yield f"{grant.action} is never asked for {grant.resource}"


def _fits(grant: Call) -> bool:
    """Return whether a resource is, or a pattern takes in, one of those that the action can be asked for."""
    service, _, name = grant.action.partition(":")
    known = services()[service]
    formats = [
        arn
        for action, each in known["Actions"].items()
        if like(name.lower(), action)
        for kind in each.get("Resources", [])
        for arn in known["Resources"][kind.lower()]["ARNFormats"]
    ]
    _, partition, _, region, account, _ = grant.resource.split(":", 5)
    for each in formats:
        here = each.replace("${Partition}", partition).replace("${Region}", region).replace("${Account}", account)
        if re.fullmatch(here, grant.resource) or matches(grant.resource, here.replace(".*", "x")):
            return True
    return False


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    found = (json.loads(each.read_text()) for each in (DATA / "schemas/resources").glob("*.json"))
    return {each["typeName"]: each for each in found}


def asked_by_cloudformation(kind: str) -> dict[str, set[str]]:
    """Return what CloudFormation asks for, as who deploys, to create, read, update and delete a type of resource.

    https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers
    """
    handlers = _schemas()[kind].get("handlers", {})
    return {name: {*each["permissions"]} for name, each in handlers.items() if name != "list"}
