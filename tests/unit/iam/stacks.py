"""The stacks that policies are evaluated for: the translated template with values, and the ARNs of its resources."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from msgspec import Struct

from tests.support.iam.decision import Call, Statement
from tests.support.resolved import Place, arns, resolved
from tests.support.template import Template, decided, given, name_of, translated, written
from tests.unit.template.states import EVERYTHING, KEY, VPC

OPTIONS: dict[str, dict[str, str]] = {
    "defaults": {},
    "a key of one's own": {"KmsKeyArn": KEY},
    "a VPC": {name: EVERYTHING[name] for name in VPC},
    "everything": EVERYTHING,
}
PLACES = (
    Place("flagcast", "us-east-1"),
    Place("flagcast-production", "cn-north-1", "aws-cn"),
    Place("a", "us-gov-west-1", "aws-us-gov"),
)

_USES_OF_THE_KEY = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    "s3:PutObject": ("kms:GenerateDataKey",),
    "s3:GetObject": ("kms:Decrypt",),
    # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    "secretsmanager:GetSecretValue": ("kms:Decrypt",),
    # https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    "ssm:GetParameter": ("kms:Decrypt",),
}

SENDS = {
    "sqs": ("sqs:SendMessage",),
    "sns": ("sns:Publish",),
    "events": ("events:PutEvents",),
    "s3": ("s3:PutObject",),
    # What SQS, SNS and S3 ask of who sends to what a key encrypts: the pages above, and
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    "kms": ("kms:GenerateDataKey", "kms:Decrypt"),
}


class Stack(Struct, frozen=True):
    """One stack: where it is, its template with values, and its resources' ARNs by logical id."""

    place: Place
    parameters: dict[str, str]
    template: Template
    resources: Template
    arns: dict[str, str]

    def role(self, name: str) -> list[Statement]:
        """Return what a role of the stack has: its own policies, and the stack's that are attached to it."""
        decided = self.template["Resources"][name]["Properties"]
        attached = [name_of(each) for each in decided.get("ManagedPolicyArns", [])]
        documents = [each["PolicyDocument"] for each in self.resources[name]["Properties"]["Policies"]]
        documents += [self.resources[each]["Properties"]["PolicyDocument"] for each in attached]
        return [statement for each in documents for statement in each["Statement"]]

    def call(self, action: str, resource: str) -> Call:
        """Return a call of calls.yaml as IAM sees it here."""
        secrets = self.parameters["SecretPrefix"] or f"flagcast/{self.place.stack}/"
        parameters = self.parameters["ParameterPrefix"] or f"/flagcast/{self.place.stack}/"
        words = {
            "*": "*",
            "secret": self.place.arn(f"secretsmanager:{{region}}:{{account}}:secret:{secrets}team/chat-AbCdEf"),
            "parameter": self.place.arn(f"ssm:{{region}}:{{account}}:parameter{parameters}team/token"),
            "stack": self.place.arn(f"cloudformation:{{region}}:{{account}}:stack/{self.place.stack}/1b2c"),
            # SAM gives the layer a logical id that ends in a hash of its properties, and its version is a number.
            "configuration-layer": self.place.arn(f"lambda:{{region}}:{{account}}:layer:{self.place.stack}-config:7"),
            "bus": f"arn:{self.place.partition}:events:{self.place.region}:210987654321:event-bus/audit",
            "topic": self.place.arn("sns:{region}:{account}:on-call"),
        }
        if resource in words:
            return Call(action, words[resource])
        name, slash, key = resource.partition("/")
        return Call(action, self.arns[name] + slash + key)

    def target_calls(self) -> list[Call]:
        """Return the calls of what destinations send to: one object stands for those under a bucket's prefix."""
        arns = [each for each in self.parameters["TargetArns"].split(",") if each]
        return [
            Call(action, f"{arn}/flipt/2026/01/02/evt_1.json" if service == "s3" else arn)
            for arn in arns
            for service in (arn.split(":")[2],)
            for action in SENDS[service]
        ]

    def key_calls(self, calls: Iterable[Call]) -> list[Call]:
        """Return the calls of KMS that the calls make, where the stack has a key of one's own."""
        key = self.parameters["KmsKeyArn"]
        return [Call(use, key) for each in calls for use in _USES_OF_THE_KEY.get(each.action, ()) if key]


@cache
def stack(options: str, place: Place) -> Stack:
    """Return a stack; no one changes it."""
    parameters = given(written(), **OPTIONS[options])
    made = decided(_translated(), **OPTIONS[options])
    return Stack(
        place,
        parameters,
        made,
        resolved(made, parameters, place)["Resources"],
        arns(made, parameters, place),
    )


@cache
def _translated() -> Template:
    return translated(written())


def strings(node: Any) -> Iterable[str]:
    """Go through all text in a part of a template."""
    match node:
        case str():
            yield node
        case dict():
            for key, each in node.items():
                yield from (key, *strings(each))
        case list():
            for each in node:
                yield from strings(each)
