"""A translated template with every intrinsic function replaced by a value, as CloudFormation would send it to AWS."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tests.support.template import Template

ACCOUNT = "123456789012"
LONGEST_STACK = "a" * 128
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


class Place(Struct, frozen=True):
    """Where a stack is, and what it is called."""

    stack: str = "flagcast"
    region: str = "us-east-1"
    partition: str = "aws"

    def pseudo_parameters(self) -> dict[str, str]:
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return {
            "AWS::StackName": self.stack,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::AccountId": ACCOUNT,
            "AWS::URLSuffix": suffix,
            "AWS::StackId": f"arn:{self.partition}:cloudformation:{self.region}:{ACCOUNT}:stack/{self.stack}/1b2c",
        }


def resolved(template: Template, parameters: Mapping[str, Any], place: Place) -> Template:
    """Return a decided template (tests.support.template.decided) with values; raises KeyError for an unknown name."""
    names = {**parameters, **place.pseudo_parameters()}
    resources = template["Resources"]

    def reference(name: str) -> Any:
        return names[name] if name in names else _physical(name, resources[name]["Type"], place)

    def attribute(name: str, which: str) -> str:
        physical = _physical(name, resources[name]["Type"], place)
        if which == "Arn":
            service = resources[name]["Type"].split("::")[1].lower()
            return f"arn:{place.partition}:{service}:{place.region}:{ACCOUNT}:{physical}"
        return physical

    def text(node: Any) -> str:
        return str(value(node))

    def value(node: Any) -> Any:
        match node:
            case {"Ref": str(name)}:
                return reference(name)
            case {"Fn::GetAtt": [str(name), str(which)]}:
                return attribute(name, which)
            case {"Fn::GetAtt": str(dotted)}:
                name, _, which = dotted.partition(".")
                return attribute(name, which)
            case {"Fn::Join": [str(between), list(parts)]}:
                return between.join(text(each) for each in parts)
            case {"Fn::Select": [index, several]}:
                return value(several)[int(index)]
            case {"Fn::Sub": [str(written), dict(own)]}:
                return substituted(written, {key: text(each) for key, each in own.items()})
            case {"Fn::Sub": str(written)}:
                return substituted(written, {})
            case dict():
                unknown = [key for key in node if key.startswith("Fn::")]
                assert not unknown, unknown
                return {key: value(each) for key, each in node.items()}
            case list():
                return [value(each) for each in node]
        return node

    def substituted(written: str, own: Mapping[str, str]) -> str:
        def one(found: re.Match[str]) -> str:
            name, _, which = found[1].partition(".")
            if name in own:
                return own[name]
            return attribute(name, which) if which else str(reference(name))

        return _VARIABLE.sub(one, written).replace("${!", "${")

    return {**template, "Resources": value(resources), "Outputs": value(template["Outputs"])}


def _physical(name: str, kind: str, place: Place) -> str:
    """Return a physical id of the length that CloudFormation gives one at most: 64 characters of a function or role."""
    generated = f"{place.stack[:24]}-{name}"[:51] + "-1A2B3C4D5E6F"
    if kind == "AWS::SQS::Queue":
        return f"https://sqs.{place.region}.amazonaws.com/{ACCOUNT}/{generated}.fifo"
    return "a1b2c3d4e5" if kind.startswith("AWS::ApiGateway") else generated
