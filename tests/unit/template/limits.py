"""AWS's limits on names and sizes, for the longest stack name in a region and a partition with long names."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.resolved import LONGEST_STACK, Place, resolved
from tests.support.template import Template, given, resources

LONG = Place(LONGEST_STACK, "ap-southeast-1", "aws-us-gov")

LONGEST = {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CloudWatch::Alarm", "AlarmDescription"): 1024,
    ("AWS::CloudWatch::Alarm", "Namespace"): 255,
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-dashboard.html
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    # https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
    ("AWS::Lambda::LayerVersion", "LayerName"): 140,
    ("AWS::Lambda::LayerVersion", "Description"): 256,
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    ("AWS::Lambda::Function", "Description"): 256,
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    ("AWS::SecretsManager::Secret", "Name"): 512,
    ("AWS::SecretsManager::Secret", "Description"): 2048,
}
NAMES_OF_OUR_OWN = {
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::SQS::Queue": ("QueueName", 80),
    "AWS::S3::Bucket": ("BucketName", 63),
}
"""What is too short for a stack's name: CloudFormation makes these up, and cuts the stack's name for it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-specify-name.html
"""
NAMESPACE, API_NAME, POLICY_NAME = 255, 128, 128
ENVIRONMENT = 4 * 1024
"""Bytes of a function's variables: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
ROLES_POLICIES, MANAGED_POLICY = 10_240, 6_144
"""Characters without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
BUCKET_POLICY = 20 * 1024
"""Bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"""
TEMPLATE, RESOURCES, PARAMETERS, OUTPUTS, DESCRIPTION = 1_000_000, 500, 200, 200, 1_024
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


def names(template: Template) -> list[str]:
    made = resolved(template, given(template), LONG)
    return [
        f"{what} is {len(said)} characters long, of {limit} that AWS takes"
        for what, said, limit in _named(made)
        if len(said) > limit
    ] + [
        f"{name} is named by us: {key} has room for {limit}"
        for kind, (key, limit) in NAMES_OF_OUR_OWN.items()
        for name, each in resources(made, kind)
        if key in each
    ]


def _named(made: Template) -> Iterator[tuple[str, str, int]]:
    for (kind, key), limit in LONGEST.items():
        for name, each in resources(made, kind):
            if key in each:
                yield f"{key} of {name}", each[key], limit
    for name, each in resources(made, "AWS::Logs::MetricFilter"):
        for one in each["MetricTransformations"]:
            yield f"the namespace of {name}", one["MetricNamespace"], NAMESPACE
    for name, each in resources(made, "AWS::ApiGatewayV2::Api"):
        # https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
        yield f"the name of {name}", each["Body"]["info"]["title"], API_NAME
    for name, each in resources(made, "AWS::IAM::Role"):
        for policy in each.get("Policies", []):
            yield f"a policy of {name}", policy["PolicyName"], POLICY_NAME


def sizes(template: Template) -> list[str]:
    made = resolved(template, given(template), LONG)
    return [f"{what} has {size:,} of {limit:,}" for what, size, limit in _sized(template, made) if size > limit]


def _sized(template: Template, made: Template) -> Iterator[tuple[str, int, int]]:
    yield "the template", len(json.dumps(template)), TEMPLATE
    for part, limit in (("Resources", RESOURCES), ("Parameters", PARAMETERS), ("Outputs", OUTPUTS)):
        yield part, len(template[part]), limit
    yield "the template's description", len(template["Description"].encode()), DESCRIPTION
    for name, each in (*template["Outputs"].items(), *template["Parameters"].items()):
        yield f"the description of {name}", len(each["Description"].encode()), DESCRIPTION
    for name, each in resources(made, "AWS::IAM::Role"):
        size = sum(_characters(policy["PolicyDocument"]) for policy in each.get("Policies", []))
        yield f"{name}'s policies", size, ROLES_POLICIES
        yield f"{name}'s trust policy", _characters(each["AssumeRolePolicyDocument"]), 2_048
    for name, each in resources(made, "AWS::IAM::ManagedPolicy"):
        yield name, _characters(each["PolicyDocument"]), MANAGED_POLICY
    for name, each in resources(made, "AWS::S3::BucketPolicy"):
        yield name, _characters(each["PolicyDocument"]), BUCKET_POLICY
    for name, each in resources(made, "AWS::Lambda::Function"):
        yield f"{name}'s environment", _characters(each["Environment"]["Variables"]), ENVIRONMENT


def _characters(document: Any) -> int:
    return len(json.dumps(document, separators=(",", ":")))
