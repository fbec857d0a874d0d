"""What an update must not replace: CloudFormation replaces a resource whose create-only property has a new value.

Which these are is in the resources' schemas, as cfn-lint brings them:
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.support.resolved import Place, resolved
from tests.support.template import Template, given

KEPT = {
    "AWS::SQS::Queue",
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::ApiGatewayV2::Api",  # its address is in Flipt's configuration
}
MAY_CHANGE = {("SigningSecret", "Name", "SecretPrefix")}
"""The one exception: what the functions may read is under the prefix. docs/operations.md says how its value moves."""


def create_only(kind: str) -> list[list[str]]:
    """Return the paths of the properties whose change replaces a resource of a type."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    # KeySchema is one under conditions, which are not in the schema: it counts.
    paths = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
    return [path.removeprefix("/properties/").split("/") for path in paths]


def replaced(before: Template, after: Template) -> list[tuple[str, str]]:
    """Return resource and property of whatever an update from one state to the other would replace or remove."""
    was, now = (resolved(each, given(each), Place())["Resources"] for each in (before, after))
    found = [(name, "") for name, each in was.items() if each["Type"] in KEPT and name not in now]
    return found + [
        (name, "/".join(path))
        for name, each in was.items()
        if each["Type"] in KEPT and name in now
        for path in create_only(each["Type"])
        if _at(each.get("Properties", {}), path) != _at(now[name].get("Properties", {}), path)
    ]


def _at(properties: Any, path: list[str]) -> Any:
    for part in path:
        properties = properties.get(part) if isinstance(properties, dict) else None
    return properties


def kept_when_replaced(template: Template) -> list[str]:
    """What holds data outlives its stack, and its replacement; the secret outlives its replacement alone."""
    wrong = []
    for name, each in template["Resources"].items():
        if each["Type"] not in KEPT - {"AWS::ApiGatewayV2::Api"}:
            continue
        wrong += [] if each.get("UpdateReplacePolicy") == "Retain" else [f"{name} is lost when it is replaced"]
        # The next stack of this name makes a secret of the same name.
        wanted = "Delete" if each["Type"] == "AWS::SecretsManager::Secret" else "RetainExceptOnCreate"
        wrong += [] if each.get("DeletionPolicy") == wanted else [f"{name}: its DeletionPolicy is not {wanted}"]
    return wrong
