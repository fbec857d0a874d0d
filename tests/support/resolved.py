"""A translated template with every intrinsic function replaced by a value, as CloudFormation would send it to AWS."""

import re
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from msgspec import Struct

from tests.support.template import Template

ACCOUNT = "123456789012"
LONGEST_STACK = "a" * 128
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
_NAMES = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SecretsManager::Secret": "Name",
}
"""Properties that name a resource, instead of CloudFormation."""

_ARNS = {
    "AWS::ApiGatewayV2::Api": "apigateway:{region}::/apis/{name}",
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::CloudWatch::Dashboard": "cloudwatch::{account}:dashboard/{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::Lambda::EventSourceMapping": "lambda:{region}:{account}:event-source-mapping:{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Lambda::LayerVersion": "lambda:{region}:{account}:layer:{name}:{version}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
}
"""https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html,
the resource types of each service."""

_REFERRED_TO_BY_ARN = {"AWS::IAM::ManagedPolicy", "AWS::Lambda::LayerVersion", "AWS::SecretsManager::Secret"}
"""What Ref returns: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ (return values)."""


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
            "AWS::StackId": self.arn(f"cloudformation:{{region}}:{{account}}:stack/{self.stack}/1b2c"),
        }

    def arn(self, rest: str) -> str:
        """Return an ARN here, of what follows the partition, in which {region} and {account} stand for their values."""
        return f"arn:{self.partition}:" + rest.replace("{region}", self.region).replace("{account}", ACCOUNT)


def resolved(template: Template, parameters: Mapping[str, str], place: Place) -> Template:
    """Return a decided template (tests.support.template.decided) with values; raises KeyError for an unknown name."""
    values = _Values(template, parameters, place)
    return {**template, **{part: values.of(template[part]) for part in ("Resources", "Outputs")}}


def arns(template: Template, parameters: Mapping[str, str], place: Place) -> dict[str, str]:
    """Return the ARN of each resource of a decided template that has one."""
    values = _Values(template, parameters, place)
    return {name: values.arn(name) for name, each in template["Resources"].items() if each["Type"] in _ARNS}


class _Values:
    """What stands for the intrinsic functions of one template."""

    def __init__(self, template: Template, parameters: Mapping[str, str], place: Place) -> None:
        self._resources = template["Resources"]
        self._place = place
        self._names = {**parameters, **place.pseudo_parameters()}

    def of(self, node: Any) -> Any:
        match node:
            case {"Ref": str(name)}:
                return self._reference(name)
            case {"Fn::GetAtt": [str(name), str(which)]}:
                return self._attribute(name, which)
            case {"Fn::GetAtt": str(dotted)}:
                name, _, which = dotted.partition(".")
                return self._attribute(name, which)
            case {"Fn::Join": [str(between), parts]}:
                return between.join(map(str, self.of(parts)))
            case {"Fn::Split": [str(between), whole]}:
                return self._text(whole).split(between)
            case {"Fn::Sub": [str(written), dict(own)]}:
                return self._substituted(written, {key: self._text(each) for key, each in own.items()})
            case {"Fn::Sub": str(written)}:
                return self._substituted(written, {})
            case dict():
                unknown = [key for key in node if key.startswith("Fn::")]
                assert not unknown, unknown
                return {key: self.of(each) for key, each in node.items()}
            case list():
                return [self.of(each) for each in node]
        return node

    def arn(self, name: str) -> str:
        # SAM names what makes a layer version by the layer's content, so each content is a version of its own.
        version = str(crc32(name.encode()))
        rest = _ARNS[self._type(name)].replace("{name}", self._physical(name)).replace("{version}", version)
        return self._place.arn(rest)

    def _reference(self, name: str) -> Any:
        if name in self._names:
            return self._names[name]
        kind = self._type(name)
        if kind in _REFERRED_TO_BY_ARN:
            return self.arn(name)
        physical = self._physical(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self._place.region}.amazonaws.com/{ACCOUNT}/{physical}"
        return physical

    def _attribute(self, name: str, which: str) -> str:
        return self.arn(name) if which == "Arn" else self._physical(name)

    def _physical(self, name: str) -> str:
        """Return a name of the length that CloudFormation gives one at most: 64 characters of a function or role."""
        kind, properties = self._type(name), self._resources[name].get("Properties", {})
        if given := properties.get(_NAMES.get(kind, "")):
            return self._text(given)
        if kind.startswith("AWS::ApiGateway"):
            return "a1b2c3d4e5"
        generated = f"{self._place.stack[:24]}-{name}"[:51] + "-1A2B3C4D5E6F"
        match kind:
            case "AWS::SQS::Queue":
                return f"{generated}.fifo"
            case "AWS::S3::Bucket":
                return generated.lower()
            case "AWS::Lambda::EventSourceMapping":
                return "1b2c3d4e-1a2b-3c4d-5e6f-1a2b3c4d5e6f"
        return generated

    def _type(self, name: str) -> str:
        return str(self._resources[name]["Type"])

    def _text(self, node: Any) -> str:
        return str(self.of(node))

    def _substituted(self, written: str, own: Mapping[str, str]) -> str:
        def one(found: re.Match[str]) -> str:
            name, _, which = found[1].partition(".")
            if name in own:
                return own[name]
            return self._attribute(name, which) if which else str(self._reference(name))

        return _VARIABLE.sub(one, written).replace("${!", "${")
