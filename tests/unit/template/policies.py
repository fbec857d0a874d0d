"""What the transformed template may not fall short of: each policy returns what is wrong, in words."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.template import Template, name_of, resources

Policy = Callable[[Template], list[str]]

FORTNIGHT = 14 * 86_400
DEDUPLICATION_WINDOW = 300
READS_OF_ALL_OR_NOTHING = {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
"""What knows no resource but `*`: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html"""

OUTPUTS = {
    "WebhookUrl",
    "SigningSecretCommand",
    "HealthUrl",
    "TaskQueueUrl",
    "DeadLetterQueueUrl",
    "BodiesBucketName",
    "ArchiveBucketName",
    "StateTableName",
    "DeliverRoleArn",
    "DashboardUrl",
    "IngestLogGroupName",
    "DeliverLogGroupName",
}
LOGGED_OF_A_REQUEST = {
    "requestTime", "requestId", "identity.sourceIp", "httpMethod", "routeKey", "status", "responseLength",
    "responseLatency", "integrationStatus", "error.responseType",
}  # fmt: skip


def mappings(template: Template) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Go through what functions read queues by: its name, itself, its queue and its function."""
    for name, mapping in resources(template, "AWS::Lambda::EventSourceMapping"):
        queue = template["Resources"][name_of(mapping["EventSourceArn"])]["Properties"]
        function = dict(resources(template, "AWS::Lambda::Function"))[name_of(mapping["FunctionName"])]
        yield name, mapping, queue, function


def visibility(template: Template) -> list[str]:
    """A task must not be seen twice while it is worked on, nor a kill's dead letter sent twice outside of the window.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    return [
        f"{name}: {queue.get('VisibilityTimeout')} s of visibility for a function of {function['Timeout']} s"
        for name, _, queue, function in mappings(template)
        if not 6 * function["Timeout"] <= queue.get("VisibilityTimeout", 30) < DEDUPLICATION_WINDOW
    ]


def redrive(template: Template) -> list[str]:
    policies = {name: queue.get("RedrivePolicy", {}) for name, _, queue, _ in mappings(template)}
    queues = {name for name, _ in resources(template, "AWS::SQS::Queue")}
    return [
        f"{name}: {policy}"
        for name, policy in policies.items()
        # The function gives up at 900 receives, with a reason.
        if name_of(policy.get("deadLetterTargetArn")) not in queues or policy["maxReceiveCount"] < 1000
    ]


def partial_responses(template: Template) -> list[str]:
    return [
        f"{name} fails whole batches"
        for name, mapping, _, _ in mappings(template)
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
    ]


def concurrency(template: Template) -> list[str]:
    return [f"{name} has no limit" for name, mapping, _, _ in mappings(template) if "ScalingConfig" not in mapping]


def queues(template: Template) -> list[str]:
    wanted = {
        "FifoQueue": True,
        "FifoThroughputLimit": "perMessageGroupId",
        "DeduplicationScope": "messageGroup",
        "MessageRetentionPeriod": FORTNIGHT,
        "MaximumMessageSize": 1_048_576,
    }
    return [
        f"{name}: {key} is not {value}"
        for name, queue in resources(template, "AWS::SQS::Queue")
        for key, value in wanted.items()
        if queue.get(key) != value
    ]


def tls(template: Template) -> list[str]:
    guarded = {
        name_of(where)
        for kind, key in (("AWS::SQS::QueuePolicy", "Queues"), ("AWS::S3::BucketPolicy", "Bucket"))
        for _, policy in resources(template, kind)
        for where in (policy[key] if key == "Queues" else [policy[key]])
        if any(_denies_plain_text(each, name_of(where)) for each in policy["PolicyDocument"]["Statement"])
    }
    wanted = {name for kind in ("AWS::SQS::Queue", "AWS::S3::Bucket") for name, _ in resources(template, kind)}
    return [f"{name} takes plain text" for name in wanted - guarded]


def _denies_plain_text(statement: dict[str, Any], name: str) -> bool:
    of_all = {"sqs:*": [name], "s3:*": [name, f"${{{name}.Arn}}/*"]}
    where = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    return (
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and [name_of(each) or each.get("Fn::Sub") for each in where] == of_all.get(statement["Action"])
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": False}}
    )


def log_groups(template: Template) -> list[str]:
    groups = dict(resources(template, "AWS::Logs::LogGroup"))
    endless = [f"{name} keeps everything" for name, group in groups.items() if "RetentionInDays" not in group]
    own = [
        name_of(function.get("LoggingConfig", {}).get("LogGroup"))
        for _, function in resources(template, "AWS::Lambda::Function")
    ]
    return (
        endless
        + [f"a function logs to {each or 'one that the template does not make'}" for each in own if each not in groups]
        + (["functions share a log"] if len({*own}) != len(own) else [])
    )


def roles(template: Template) -> list[str]:
    known = dict(resources(template, "AWS::IAM::Role"))
    policies = dict(resources(template, "AWS::IAM::ManagedPolicy"))
    used = {name: name_of(each["Role"]) for name, each in resources(template, "AWS::Lambda::Function")}
    wrong = [f"{name} runs as no role of the template" for name, role in used.items() if role not in known]
    wrong += ["functions share a role"] if len({*used.values()}) != len(used) else []
    for name, role in known.items():
        attached = [each for each in role.get("ManagedPolicyArns", []) if name_of(each) not in policies]
        wrong += [f"{name} has {each}, which is not ours" for each in attached]
        wrong += [f"{name}: {each}" for policy in role.get("Policies", []) for each in _too_wide(policy)]
    return wrong + [f"{name}: {each}" for name, policy in policies.items() for each in _too_wide(policy)]


def _too_wide(policy: dict[str, Any]) -> Iterator[str]:
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        where = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if statement["Effect"] == "Allow":
            yield from (f"{action} is more than one action" for action in actions if "*" in action)
            if "*" in where and not ({*actions} <= READS_OF_ALL_OR_NOTHING and "Condition" in statement):
                yield f"{actions} on everything"


def api(template: Template) -> list[str]:
    wrong = []
    for name, stage in resources(template, "AWS::ApiGatewayV2::Stage"):
        limits = stage.get("DefaultRouteSettings", {})
        wanted = ("ThrottlingRateLimit", "ThrottlingBurstLimit")
        wrong += [f"{name}: no {each}" for each in wanted if not limits.get(each)]
        log = stage.get("AccessLogSettings", {})
        groups = dict(resources(template, "AWS::Logs::LogGroup"))
        wrong += [] if name_of(log.get("DestinationArn")) in groups else [f"{name} logs nothing"]
        said = {*re.findall(r"\$context\.([\w.]+)", log.get("Format", ""))}
        wrong += [f"{name} logs {each}" for each in said - LOGGED_OF_A_REQUEST]
    return wrong


def bucket(template: Template) -> list[str]:
    wrong = []
    for name, each in resources(template, "AWS::S3::Bucket"):
        closed = each.get("PublicAccessBlockConfiguration", {})
        wrong += [] if len(closed) == 4 and all(closed.values()) else [f"{name} can be opened to the public"]
    rules = template["Resources"]["BodiesBucket"]["Properties"].get("LifecycleConfiguration", {}).get("Rules", [])
    # Longer than a task can stay on both queues.
    days = [rule["ExpirationInDays"] for rule in rules if rule["Status"] == "Enabled"]
    return wrong + ([] if days and min(days) > 28 else [f"bodies are kept for {days} days"])


def archive(template: Template) -> list[str]:
    """It keeps every version, can be locked, takes no object twice, and drops only what is older than ArchiveDays."""
    made = template["Resources"]["ArchiveBucket"]["Properties"]
    wrong = [] if made.get("VersioningConfiguration") == {"Status": "Enabled"} else ["the archive has no versions"]
    # Only while a bucket is created, CloudFormation is sure to be able to: on an older one it failed until 2023.
    wrong += [] if made.get("ObjectLockEnabled") else ["it cannot be locked later"]
    # Its Rule is "Required: Conditional":
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-s3-bucket-objectlockconfiguration.html
    lock = made.get("ObjectLockConfiguration", {"Rule": {}})
    wrong += [] if "Rule" in lock else ["a lock without a rule may not be taken"]
    days = {"Ref": "ArchiveDays"}
    wrong += [
        f"it drops what is {rule['ExpirationInDays']} days old"
        for rule in made.get("LifecycleConfiguration", {}).get("Rules", [])
        if rule.get("ExpirationInDays", days) != days
    ]
    guard = template["Resources"]["ArchiveOverTlsOnly"]["Properties"]["PolicyDocument"]["Statement"]
    return wrong + ([] if any(map(_denies_overwriting, guard)) else ["its objects can be overwritten"])


def _denies_overwriting(statement: dict[str, Any]) -> bool:
    """Return whether a write without If-None-Match is denied.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    return {**statement, "Sid": ""} == {
        "Sid": "",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": {"Fn::Sub": "${ArchiveBucket.Arn}/*"},
        "Condition": {"Null": {"s3:if-none-match": True}},
    }


def encryption(template: Template) -> list[str]:
    """At rest all of it is, by someone's key."""
    wrong = [
        f"{name} is not encrypted"
        for name, each in resources(template, "AWS::SQS::Queue")
        if each.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in each
    ]
    return wrong + [
        f"{name} is not encrypted"
        for name, each in resources(template, "AWS::S3::Bucket")
        if not each.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration")
    ]


def outputs(template: Template) -> list[str]:
    return [f"no output {name}" for name in OUTPUTS - template["Outputs"].keys()]
