"""Ways to break the template, each with the rule that must find it: a path, and its new value; `...` deletes."""

import json
from typing import Any

from tests.unit.template import alarms, insights, limits, monitoring, policies, references, replacement
from tests.unit.template.policies import Policy

TASKS, DEAD = "Resources/TaskQueue/Properties", "Resources/DeadLetterQueue/Properties"
INGEST, DELIVER = "Resources/IngestFunction/Properties", "Resources/DeliverFunction/Properties"
READING = f"{DELIVER}/Events/Tasks/Properties"
LOGS = "Resources/{}LogGroup/Properties/RetentionInDays"
STATEMENTS = "Resources/{}Role/Properties/Policies/0/PolicyDocument/Statement"
INTERFACES = "Resources/NetworkPolicy/Properties/PolicyDocument/Statement"
TLS = "Resources/{}OverTlsOnly/Properties/PolicyDocument/Statement/0"
BODIES = "Resources/BodiesBucket/Properties"
ARCHIVE = "Resources/ArchiveBucket/Properties"
API = "Resources/HttpApi/Properties"
MANAGED = "arn:aws:iam::aws:policy/AWSLambdaExecute"
REJECTED = "Resources/RejectedEventsAlarm/Properties/Metrics/0/Expression"
FAILING = "Resources/FailingDestinationsAlarm/Properties/Metrics/0/Expression"
WAITING = "Resources/TasksWaitingAlarm/Properties/Metrics"
FORMAT = f"{API}/AccessLogSettings/Format"
DASHBOARD = "Resources/Dashboard/Properties/DashboardBody"
SELECT = 'SELECT SUM("EventsRejected") FROM SCHEMA("Flagcast", "reason", "source")'
WHERE = SELECT + """ WHERE "reason" != 'unauthorized' GROUP BY {}"""


def widget(metric: str, **more: Any) -> str:
    """A dashboard of one graph."""
    graph = {"title": "a", "view": "timeSeries", "region": "r", "metrics": [json.loads(metric)]}
    place = {"type": "metric", "x": 0, "y": 0, "width": 6, "height": 5, **more}
    return json.dumps({"widgets": [{**place, "properties": graph}]})


COUNT = '["AWS/ApiGateway", "Count", "ApiId", "a", {"stat": "Sum"}]'

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
    *((policies.tls, f"Resources/{each}OverTlsOnly", ...) for each in ("Tasks", "DeadLetters", "Bodies", "Archive")),
    *((policies.tls, TLS.format(each) + "/Effect", "Allow") for each in ("Tasks", "DeadLetters", "Bodies", "Archive")),
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
    (policies.bucket, f"{ARCHIVE}/PublicAccessBlockConfiguration/BlockPublicPolicy", False),
    (policies.archive, f"{ARCHIVE}/VersioningConfiguration", ...),
    (policies.archive, f"{ARCHIVE}/ObjectLockEnabled", ...),
    (policies.archive, "Resources/ArchiveOverTlsOnly/Properties/PolicyDocument/Statement/1", ...),
    (policies.archive, "Resources/ArchiveOverTlsOnly/Properties/PolicyDocument/Statement/1/Condition", {}),
    (policies.archive, f"{ARCHIVE}/ObjectLockConfiguration", {"ObjectLockEnabled": "Enabled"}),
    (policies.archive, f"{ARCHIVE}/LifecycleConfiguration", {"Rules": [{"Status": "Enabled", "ExpirationInDays": 45}]}),
    (policies.encryption, f"{TASKS}/SqsManagedSseEnabled", False),
    (policies.encryption, f"{BODIES}/BucketEncryption", ...),
    (policies.encryption, f"{ARCHIVE}/BucketEncryption", ...),
    *((policies.outputs, f"Outputs/{name}", ...) for name in sorted(policies.OUTPUTS)),
    *(
        (alarms.an_alarm_for_each_queue, f"Resources/{name}Alarm", ...)
        for name in ("DeadLetters", "OldDeadLetters", "OldestTask", "TasksWaiting")
    ),
    (alarms.an_alarm_for_each_queue, "Resources/DeadLettersAlarm/Properties/Threshold", 10),
    (alarms.an_alarm_for_each_queue, "Resources/TasksWaitingAlarm/Properties/Threshold", 110_000),
    (alarms.an_alarm_for_each_queue, "Resources/TasksWaitingAlarm/Properties/Metrics/2", ...),
    (alarms.an_alarm_for_each_queue, "Resources/OldDeadLettersAlarm/Properties/Threshold", 14 * 86_400),
    *((alarms.alarms_for_deliver, f"Resources/Deliver{name}Alarm", ...) for name in ("Errors", "Throttles")),
    (alarms.alarms_for_deliver, "Resources/DeliverErrorsAlarm/Properties/Threshold", 5),
    *((alarms.alarms_for_the_api, f"Resources/{name}Alarm", ...) for name in ("ServerErrors", "ThrottledRequests")),
    (alarms.alarms_for_the_api, "Resources/ServerErrorsAlarm/Properties/MetricName", "5XXError"),
    (alarms.alarms_for_the_api, "Resources/ServerErrorsAlarm/Properties/MetricName", "4xx"),
    (alarms.no_alarm_for_what_passes_by_itself, "Resources/DeliverErrorsAlarm/Properties/DatapointsToAlarm", 1),
    (alarms.no_alarm_for_what_passes_by_itself, "Resources/UnexpectedErrorsAlarm/Properties/Period", 60),
    (alarms.no_alarm_for_what_passes_by_itself, "Resources/ServerErrorsAlarm/Properties/Threshold", 1),
    *((alarms.queries, f"Resources/{name}Alarm", ...) for name in ("RejectedEvents", "FailingDestinations")),
    (alarms.queries, REJECTED, WHERE.format('"source", "reason"')),
    (alarms.this_stack_alone, "Resources/UnexpectedErrorsAlarm/Properties/Namespace", "Flagcast"),
    (alarms.this_stack_alone, REJECTED, WHERE.format('"source"')),
    (alarms.evaluation, "Resources/RejectedEventsAlarm/Properties/EvaluationPeriods", 37),
    (alarms.evaluation, "Resources/OldestTaskAlarm/Properties/EvaluationPeriods", 289),
    (alarms.evaluation, "Resources/OldDeadLettersAlarm/Properties/EvaluationPeriods", 169),
    (alarms.evaluation, "Resources/DeadLettersAlarm/Properties/TreatMissingData", ...),
    (alarms.evaluation, "Resources/QuietAlarm/Properties/TreatMissingData", "notBreaching"),
    (alarms.evaluation, "Parameters/QuietHours/MaxValue", 169),
    (alarms.notifying, "Resources/DeadLettersAlarm/Properties/OKActions", ...),
    (alarms.notifying, "Resources/QuietAlarm/Properties/AlarmActions", ...),
    (alarms.notifying, "Resources/DeadLettersAlarm/Properties/AlarmActions", [{"Ref": "AlarmTopicArn"}]),
    # Bug: CodeDeploy's group named the alarm, the alarm the API, the API the alias, and its UpdatePolicy the group.
    (references.cycles, "Resources/IngestFunction/UpdatePolicy", {"Group": {"Ref": "ServerErrorsAlarm"}}),
    (references.cycles, "Resources/TaskQueue/DependsOn", "DeliverRole"),
    (references.cycles, "Resources/DeadLetterQueue/Properties/QueueName", {"Fn::Sub": "${TaskQueue.QueueName}-dead"}),
    (references.unresolved, "Resources/DeliverLogGroup", ...),
    (references.unresolved, "Resources/ApiLogGroup/DependsOn", ["NoSuchThing"]),
    (references.unresolved, "Outputs/HealthUrl/Value", {"Fn::Sub": "https://${NoSuchApi}/"}),
    # Bug: 141 characters with a stack name of 128.
    (limits.names, "Resources/DependenciesLayer/Properties/LayerName", {"Fn::Sub": "${AWS::StackName}-dependencies"}),
    (limits.names, "Resources/TaskQueue/Properties/QueueName", {"Fn::Sub": "${AWS::StackName}.fifo"}),
    (limits.sizes, STATEMENTS.format("Ingest") + "/1/Sid", "x" * 10_240),
    (limits.sizes, "Parameters/SecretPrefix/Description", "x" * 1_025),
    (limits.sizes, "Globals/Function/Environment/Variables/MORE", "x" * 4_000),
    *(
        (replacement.kept_when_replaced, f"Resources/{name}/UpdateReplacePolicy", "Delete")
        for name in ("TaskQueue", "DeadLetterQueue", "StateTable", "BodiesBucket", "ArchiveBucket", "SigningSecret")
    ),
    (replacement.kept_when_replaced, "Resources/StateTable/DeletionPolicy", "Delete"),
    # Bug: `source` is a reserved word, and was not quoted: CloudWatch refused the alarm, and the stack was rolled back.
    (insights.queries_by_the_grammar, REJECTED, WHERE.format("source")),
    (insights.queries_by_the_grammar, REJECTED, SELECT.replace('"source"', "source")),
    (insights.queries_by_the_grammar, REJECTED, SELECT + " WHERE reason != 'unavailable'"),
    (insights.queries_by_the_grammar, REJECTED, SELECT.replace('"EventsRejected"', "Rule")),
    (insights.queries_by_the_grammar, REJECTED, SELECT + " WHERE \"reason\" LIKE 'un%'"),
    (insights.queries_by_the_grammar, FAILING, 'SELECT AVG(Failed) FROM Flagcast/one GROUP BY "destination"'),
    (insights.queries_by_the_grammar, FAILING, 'SELECT MEDIAN(Failed) FROM "Flagcast/one"'),
    (insights.queries_by_the_grammar, FAILING, 'SELECT AVG(Failed) FROM "Flagcast/one" ORDER BY "destination"'),
    (monitoring.metric_math, f"{WAITING}/0/Expression", "visible + FILL(put_off, 0"),
    (monitoring.metric_math, f"{WAITING}/0/Expression", "visible + FILL(missing, 0)"),
    (monitoring.metric_math, f"{WAITING}/0/Expression", "visible + SMOOTH(put_off)"),
    (monitoring.metric_math, f"{WAITING}/0/Expression", "visible & put_off"),
    (monitoring.metric_math, f"{WAITING}/1/Id", "Visible"),
    (monitoring.metric_math, f"{WAITING}/1/Id", "put_off"),
    (monitoring.metric_math, f"{WAITING}/1/ReturnData", True),
    (monitoring.metric_math, f"{WAITING}/1/MetricStat/Period", 60),
    (monitoring.dashboard, DASHBOARD, '{"widgets": [{]}'),
    (monitoring.dashboard, DASHBOARD, widget(COUNT, width=25)),
    (monitoring.dashboard, DASHBOARD, widget(COUNT, type="text")),
    (monitoring.dashboard, DASHBOARD, widget(COUNT.replace('"a", ', ""))),
    (monitoring.dashboard, DASHBOARD, widget(COUNT.replace("Sum", "Median"))),
    (monitoring.dashboard, DASHBOARD, widget(COUNT.replace('"stat"', '"colour": "red", "stat"'))),
    (monitoring.dashboard, DASHBOARD, widget("[{\"expression\": \"SEARCH('{Flagcast/a,source} ', 'Sum', 60)\"}]")),
    (monitoring.access_log, FORMAT, '{"id": "$context.requestId", "who": "$context.identity.caller"}'),
    (monitoring.access_log, FORMAT, '{"status": "$context.status"}'),
    (monitoring.access_log, FORMAT, '{"id": "$context.requestId"'),
]
