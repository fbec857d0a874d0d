"""What the template's alarms may not fall short of: each policy returns what is wrong, in words."""

from typing import Any

from tests.support.template import Template, given, name_of, resources

DAY = 86_400
LONGEST_OF_A_QUERY = 3 * 3_600
"""Seconds: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html"""


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Return the alarms by their name without the stack's."""
    found = dict(resources(template, "AWS::CloudWatch::Alarm"))
    return {each["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-"): each for each in found.values()}


def watched(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics that an alarm names, as an alarm on one of them would write each."""
    within = [
        {**each["Metric"], "Statistic": each["Stat"], "Period": each["Period"]}
        for metric in alarm.get("Metrics", [])
        if (each := metric.get("MetricStat"))
    ]
    return within or [alarm]


def on(alarm: dict[str, Any], namespace: str, metric: str, resource: str) -> bool:
    """Return whether an alarm watches a resource's metric."""
    return any(
        (each.get("Namespace"), each.get("MetricName")) == (namespace, metric)
        and [name_of(dimension["Value"]) for dimension in each["Dimensions"]] == [resource]
        for each in watched(alarm)
    )


def thresholds(template: Template, namespace: str, metric: str, resource: str) -> list[Any]:
    """Return from which values on there is an alarm on a resource's metric."""
    return [
        each["Threshold"]
        for each in alarms(template).values()
        if on(each, namespace, metric, resource) and each["ComparisonOperator"].startswith("GreaterThan")
    ]


def an_alarm_for_each_queue(template: Template) -> list[str]:
    dead = {
        name_of(queue["RedrivePolicy"]["deadLetterTargetArn"])
        for _, queue in resources(template, "AWS::SQS::Queue")
        if "RedrivePolicy" in queue
    }
    wrong = []
    for name, _ in resources(template, "AWS::SQS::Queue"):
        count = thresholds(template, "AWS/SQS", "ApproximateNumberOfMessagesVisible", name)
        age = thresholds(template, "AWS/SQS", "ApproximateAgeOfOldestMessage", name)
        wanted_count, wanted_age = ([0], [10 * DAY]) if name in dead else ([80_000], [{"Ref": "OldestTaskSeconds"}])
        wrong += [] if count == wanted_count else [f"{name}: {count} messages"]
        wrong += [] if age == wanted_age else [f"{name}: {age} seconds"]
    # What is put off is in flight, and waits as well.
    for name in {name for name, _ in resources(template, "AWS::SQS::Queue")} - dead:
        if thresholds(template, "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", name) != [80_000]:
            wrong.append(f"{name}: what is put off is not counted")
    return wrong


def alarms_for_deliver(template: Template) -> list[str]:
    """Ingest needs none: whatever keeps it from running is a 5xx of the API's."""
    return [
        f"{name}: no alarm on its {metric}"
        for name in {
            name_of(each["FunctionName"]) for _, each in resources(template, "AWS::Lambda::EventSourceMapping")
        }
        for metric in ("Errors", "Throttles")
        if thresholds(template, "AWS/Lambda", metric, name) != [0]
    ]


def alarms_for_the_api(template: Template) -> list[str]:
    (name,) = (name for name, _ in resources(template, "AWS::ApiGatewayV2::Api"))
    counted = {each["MetricName"] for each in alarms(template).values() if "MetricName" in each}
    return [
        *([] if thresholds(template, "AWS/ApiGateway", "5xx", name) == [3] else ["no alarm on 5xx"]),
        *(["a scanner's 404s are an alarm"] if thresholds(template, "AWS/ApiGateway", "4xx", name) else []),
        *([] if "Throttled" in counted else ["no alarm on 429"]),
    ]


LASTING = {"unexpected-errors", "state-failures", "deliver-errors", "deliver-throttles"}
"""What is tried again after the queue's visibility timeout: an alarm once that did not help."""
RESENT = {"server-errors", "throttled-requests"}
"""What Flipt sends again, up to five times: an alarm once it may have given up."""


def no_alarm_for_what_passes_by_itself(template: Template) -> list[str]:
    (timeout,) = (
        each["VisibilityTimeout"] for _, each in resources(template, "AWS::SQS::Queue") if "RedrivePolicy" in each
    )
    return [
        f"{name} goes on at the first failure"
        for name, alarm in alarms(template).items()
        if (name in LASTING and (alarm["Period"] < timeout or alarm.get("DatapointsToAlarm", 1) < 3))
        or (
            name in RESENT and (alarm["Threshold"], alarm["ComparisonOperator"]) != (3, "GreaterThanOrEqualToThreshold")
        )
    ]


def queries(template: Template) -> list[str]:
    """What the template does not know by name is told of by name, each by itself."""
    said = {name: expression(alarm) for name, alarm in alarms(template).items()}
    wanted = {
        "rejected-events": ('SUM("EventsRejected")', 'GROUP BY "source", "reason"'),
        "failing-destinations": ('AVG("Failed")', 'GROUP BY "destination"'),
    }
    return [
        f"{name} does not say {part}"
        for name, parts in wanted.items()
        for part in parts
        if part not in said.get(name, "")
    ] + [
        f"rejected-events leaves out {reason}"
        for reason in ("unauthorized", "too_large", "invalid_event")
        if f"'{reason}'" in said.get("rejected-events", "")
    ]


def this_stack_alone(template: Template) -> list[str]:
    """Another stack of the account has the same metrics, and its troubles are its own."""
    own = {"Fn::Sub": "Flagcast/${AWS::StackName}"}
    return [
        f"{name} watches every stack"
        for name, alarm in alarms(template).items()
        if any(each.get("Namespace", own) != own and not each.get("Dimensions") for each in watched(alarm))
        or ("SCHEMA(" in expression(alarm) and f'SCHEMA("{own["Fn::Sub"]}"' not in expression(alarm))
    ]


def expression(alarm: dict[str, Any]) -> str:
    """Return what an alarm computes; nothing if it looks at a metric as it is."""
    said = [each["Expression"] for each in alarm.get("Metrics", []) if "Expression" in each]
    return " ".join(each if isinstance(each, str) else each["Fn::Sub"] for each in said)


def evaluation(template: Template) -> list[str]:
    """How far an alarm looks back, and what it makes of no data.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    wrong = []
    for name, alarm in alarms(template).items():
        period = max(each.get("Period", 0) for each in [*watched(alarm), *alarm.get("Metrics", [])])
        count = template["Parameters"]["QuietHours"]["MaxValue"] if name == "quiet" else alarm["EvaluationPeriods"]
        longest = LONGEST_OF_A_QUERY if "SELECT" in expression(alarm) else 7 * DAY if period >= 3_600 else DAY
        wrong += [] if 0 < period * count <= longest else [f"{name} looks back {period} x {count} s"]
        missing = {"quiet": "breaching", "dead-letters": "ignore", "failing-destinations": "ignore"}
        if alarm.get("TreatMissingData") != missing.get(name, "notBreaching"):
            wrong.append(f"{name}: no data is {alarm.get('TreatMissingData')}")
    return wrong


def notifying(template: Template) -> list[str]:
    """With a topic, each notifies it of its beginning and its end; without one, none does."""
    topic = [{"Ref": "AlarmTopicArn"}] if given(template)["AlarmTopicArn"] else None
    return [
        f"{name} has no {key}"
        for name, alarm in alarms(template).items()
        for key in ("AlarmActions", "OKActions")
        if alarm.get(key) != topic
    ]
