"""The template keeps its policies, and no policy lets its weakening pass."""

from typing import Any

import pytest

from tests.support.template import changed, transformed, written
from tests.unit import template_alarms as alarms
from tests.unit import template_policies as policies
from tests.unit.template_policies import Policy

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1b2c"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"
EVERYTHING = {
    "KmsKeyArn": KEY,
    "AlarmTopicArn": TOPIC,
    "QuietHours": "168",
    "SubnetIds": "subnet-1,subnet-2",
    "SecurityGroupIds": "sg-1",
    "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/bounds",
    "IngestReservedConcurrency": "50",
    "DeliverReservedConcurrency": "20",
}
"""Every parameter that turns something on."""

IN_ANY_STATE: list[Policy] = [
    policies.visibility,
    policies.redrive,
    policies.partial_responses,
    policies.concurrency,
    policies.queues,
    policies.tls,
    policies.log_groups,
    policies.roles,
    policies.api,
    policies.bucket,
    policies.encryption,
    policies.outputs,
    alarms.an_alarm_for_each_queue,
    alarms.alarms_for_each_function,
    alarms.alarms_for_the_api,
    alarms.queries,
    alarms.this_stack_alone,
    alarms.evaluation,
]


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize("policy", IN_ANY_STATE)
@pytest.mark.parametrize("parameters", [{}, EVERYTHING], ids=["defaults", "everything on"])
def test_the_template_keeps_its_policies(policy: Policy, parameters: dict[str, str]) -> None:
    assert policy(transformed(written(), **parameters)) == []


def test_with_a_topic_each_alarm_tells_of_its_beginning_and_its_end() -> None:
    assert alarms.telling(transformed(written(), **EVERYTHING)) == []


TASKS, DEAD = "Resources/TaskQueue/Properties", "Resources/DeadLetterQueue/Properties"
INGEST, DELIVER = "Resources/IngestFunction/Properties", "Resources/DeliverFunction/Properties"
READING = f"{DELIVER}/Events/Tasks/Properties"
LOGS = "Resources/{}LogGroup/Properties/RetentionInDays"
STATEMENTS = "Resources/{}Role/Properties/Policies/0/PolicyDocument/Statement"
INTERFACES = "Resources/NetworkPolicy/Properties/PolicyDocument/Statement"
TLS = "Resources/{}OverTlsOnly/Properties/PolicyDocument/Statement/0"
BODIES = "Resources/BodiesBucket/Properties"
API = "Resources/HttpApi/Properties"
MANAGED = "arn:aws:iam::aws:policy/AWSLambdaExecute"
WHERE = "SELECT SUM(EventsRejected) FROM SCHEMA(Flagcast, reason, source) WHERE reason != 'unauthorized' GROUP BY {}"

WEAKENED: list[tuple[Policy, str, Any]] = [
    (policies.visibility, f"{TASKS}/VisibilityTimeout", 269),
    (policies.visibility, f"{TASKS}/VisibilityTimeout", 300),
    (policies.visibility, f"{TASKS}/VisibilityTimeout", ...),
    (policies.visibility, f"{DELIVER}/Timeout", 46),
    (policies.redrive, f"{TASKS}/RedrivePolicy", ...),
    (policies.redrive, f"{TASKS}/RedrivePolicy/maxReceiveCount", 900),
    (policies.redrive, f"{TASKS}/RedrivePolicy/deadLetterTargetArn", "arn:aws:sqs:us-east-1:123456789012:other.fifo"),
    (policies.partial_responses, f"{READING}/FunctionResponseTypes", ...),
    (policies.concurrency, f"{READING}/ScalingConfig", ...),
    *((policies.queues, f"{where}/FifoThroughputLimit", ...) for where in (TASKS, DEAD)),
    *((policies.queues, f"{where}/DeduplicationScope", "queue") for where in (TASKS, DEAD)),
    *((policies.queues, f"{where}/MessageRetentionPeriod", 345_600) for where in (TASKS, DEAD)),
    *((policies.queues, f"{where}/MaximumMessageSize", 262_144) for where in (TASKS, DEAD)),
    (policies.queues, "Resources/TaskQueue/UpdateReplacePolicy", "Delete"),
    *((policies.tls, f"Resources/{each}OverTlsOnly", ...) for each in ("Tasks", "DeadLetters", "Bodies")),
    *((policies.tls, TLS.format(each) + "/Effect", "Allow") for each in ("Tasks", "DeadLetters", "Bodies")),
    (policies.tls, TLS.format("Tasks") + "/Action", "sqs:SendMessage"),
    (policies.tls, TLS.format("Tasks") + "/Condition", ...),
    (policies.tls, TLS.format("Tasks") + "/Principal", {"AWS": "123456789012"}),
    (policies.tls, TLS.format("Bodies") + "/Resource/1", ...),
    *((policies.log_groups, LOGS.format(each), ...) for each in ("Ingest", "Deliver", "Api")),
    (policies.log_groups, f"{INGEST}/LoggingConfig", ...),
    (policies.log_groups, f"{INGEST}/LoggingConfig/LogGroup", {"Ref": "DeliverLogGroup"}),
    (policies.roles, f"{INGEST}/Role", ...),
    (policies.roles, f"{INGEST}/Role", {"Fn::GetAtt": ["DeliverRole", "Arn"]}),
    *((policies.roles, STATEMENTS.format(each) + "/1/Action", "sqs:*") for each in ("Ingest", "Deliver")),
    *((policies.roles, STATEMENTS.format(each) + "/1/Resource", "*") for each in ("Ingest", "Deliver")),
    (policies.roles, STATEMENTS.format("Deliver") + "/2/Action/0", "dynamodb:Get*"),
    (policies.roles, "Resources/IngestRole/Properties/ManagedPolicyArns", [MANAGED]),
    (policies.roles, f"{INTERFACES}/0/Resource", "*"),
    (policies.roles, f"{INTERFACES}/2/Condition", ...),
    (policies.roles, f"{INTERFACES}/2/Action/0", "ec2:DeleteNetworkInterface"),
    (policies.api, f"{API}/DefaultRouteSettings", ...),
    (policies.api, f"{API}/DefaultRouteSettings/ThrottlingBurstLimit", ...),
    (policies.api, f"{API}/AccessLogSettings", ...),
    (policies.api, f"{API}/AccessLogSettings/Format", "$context.requestId $context.path"),
    (policies.bucket, f"{BODIES}/PublicAccessBlockConfiguration/BlockPublicPolicy", False),
    (policies.bucket, f"{BODIES}/PublicAccessBlockConfiguration", ...),
    (policies.bucket, f"{BODIES}/LifecycleConfiguration", ...),
    (policies.bucket, f"{BODIES}/LifecycleConfiguration/Rules/0/ExpirationInDays", 28),
    (policies.bucket, f"{BODIES}/LifecycleConfiguration/Rules/0/Status", "Disabled"),
    (policies.encryption, f"{TASKS}/SqsManagedSseEnabled", False),
    (policies.encryption, f"{BODIES}/BucketEncryption", ...),
    *((policies.outputs, f"Outputs/{name}", ...) for name in sorted(policies.OUTPUTS)),
    *(
        (alarms.an_alarm_for_each_queue, f"Resources/{name}Alarm", ...)
        for name in ("DeadLetters", "OldDeadLetters", "OldestTask", "TasksWaiting")
    ),
    (alarms.an_alarm_for_each_queue, "Resources/DeadLettersAlarm/Properties/Threshold", 10),
    (alarms.an_alarm_for_each_queue, "Resources/TasksWaitingAlarm/Properties/Threshold", 110_000),
    (alarms.an_alarm_for_each_queue, "Resources/TasksWaitingAlarm/Properties/Metrics/2", ...),
    (alarms.an_alarm_for_each_queue, "Resources/OldDeadLettersAlarm/Properties/Threshold", 14 * 86_400),
    *(
        (alarms.alarms_for_each_function, f"Resources/{name}Alarm", ...)
        for name in ("IngestErrors", "IngestThrottles", "DeliverErrors", "DeliverThrottles")
    ),
    (alarms.alarms_for_each_function, "Resources/IngestErrorsAlarm/Properties/Threshold", 5),
    *((alarms.alarms_for_the_api, f"Resources/{name}Alarm", ...) for name in ("ClientErrors", "ServerErrors")),
    (alarms.alarms_for_the_api, "Resources/ServerErrorsAlarm/Properties/MetricName", "5XXError"),
    *((alarms.queries, f"Resources/{name}Alarm", ...) for name in ("RejectedEvents", "FailingDestinations")),
    (alarms.queries, "Resources/RejectedEventsAlarm/Properties/Metrics/0/Expression", WHERE.format("source, reason")),
    (alarms.this_stack_alone, "Resources/UnexpectedErrorsAlarm/Properties/Namespace", "Flagcast"),
    (alarms.this_stack_alone, "Resources/RejectedEventsAlarm/Properties/Metrics/0/Expression", WHERE.format("source")),
    (alarms.evaluation, "Resources/RejectedEventsAlarm/Properties/EvaluationPeriods", 37),
    (alarms.evaluation, "Resources/OldestTaskAlarm/Properties/EvaluationPeriods", 289),
    (alarms.evaluation, "Resources/OldDeadLettersAlarm/Properties/EvaluationPeriods", 169),
    (alarms.evaluation, "Resources/DeadLettersAlarm/Properties/TreatMissingData", ...),
    (alarms.evaluation, "Resources/QuietAlarm/Properties/TreatMissingData", "notBreaching"),
    (alarms.evaluation, "Parameters/QuietHours/MaxValue", 169),
    (alarms.telling, "Resources/DeadLettersAlarm/Properties/OKActions", ...),
    (alarms.telling, "Resources/QuietAlarm/Properties/AlarmActions", ...),
]


@pytest.mark.parametrize(("policy", "path", "value"), WEAKENED)
def test_no_weakening_passes(policy: Policy, path: str, value: Any) -> None:
    weak = changed(written(), path, value)
    # Without a topic no alarm tells: that is no finding.
    states = [EVERYTHING] if policy is alarms.telling else [{}, EVERYTHING]
    assert [each for parameters in states for each in policy(transformed(weak, **parameters))] != []
