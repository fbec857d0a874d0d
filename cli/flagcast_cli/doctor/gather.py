"""Everything that is known of a deployed stack, by boto3 and HTTP; nothing is judged here."""

from typing import Any

from flagcast.config.model import Configuration
from flagcast.edges.runtime.telemetry import NAMESPACE
from flagcast.ingest.body_check import probe
from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.doctor import http_client
from flagcast_cli.doctor.aws_lookup import AwsLookup
from flagcast_cli.doctor.facts import (
    Alarm,
    Alarms,
    Answer,
    EventSource,
    Facts,
    Function,
    NoAnswer,
    Queue,
)
from flagcast_cli.doctor.finding import Unknown
from flagcast_cli.doctor.secret_lookup import look_for
from flagcast_cli.doctor.stack_resources import Resources, Stack

_FUNCTIONS = {"ingest": "IngestFunction", "deliver": "DeliverFunction"}
_QUEUES = {"task queue": "TaskQueueUrl", "dead-letter queue": "DeadLetterQueueUrl"}


def gather(stack: Stack, configuration: Configuration | Unknown, source: str, secret: str | Unknown | None) -> Facts:
    """Ask for everything, one thing after the other; what cannot be had is Unknown, and the rest goes on."""
    looking = stack.looking
    variables: dict[str, str] = {}

    def function(logical: str) -> Function | Unknown | None:
        return stack.of(lambda resources: _function(looking, resources.ids.get(logical), variables))

    functions = {name: function(logical) for name, logical in _FUNCTIONS.items()}
    queues = {name: _queue(looking, stack.deployed.outputs.get(output)) for name, output in _QUEUES.items()}
    return Facts(
        where=stack.where,
        status=stack.deployed.status,
        parameters=stack.deployed.parameters,
        functions=functions,
        own_errors=looking.total(f"{NAMESPACE}/{stack.where.stack}", "Errors"),
        event_source=stack.of(lambda resources: _event_source(looking, resources)),
        queues=queues,
        oldest=_oldest(looking, queues["task queue"]),
        alarms=stack.of(lambda resources: _alarms(looking, resources)),
        secrets=look_for(stack, configuration, variables or None),
        health=stack.closed or http_client.get(f"{stack.base}/health"),
        source=source,
        probe=stack.closed or send_probe(stack.webhook_url(source), secret, stack.now),
    )


def send_probe(url: str, secret: str | Unknown | None, now: float) -> Answer | NoAnswer | Unknown | None:
    """Send an event of Flagcast's own, signed as Flipt signs, stamped with the time; without a secret none is sent."""
    return secret if isinstance(secret, Unknown | None) else http_client.post_signed(url, probe(rfc3339(now)), secret)


def _function(looking: AwsLookup, name: str | None, variables: dict[str, str]) -> Function | Unknown | None:
    """Ask for a function's configuration; its variables are added to those known."""

    def ask() -> dict[str, Any]:
        found: dict[str, Any] = looking.client("lambda").get_function_configuration(FunctionName=name)
        return found

    if name is None:
        return None
    found = looking.at(f"could not look up the function {name}", ask)
    if found is None or isinstance(found, Unknown):
        return found
    variables |= found.get("Environment", {}).get("Variables", {})
    return Function(
        # An emulator may leave them out; Lambda does not.
        state=found.get("State", "Active"),
        update=found.get("LastUpdateStatus", "Successful"),
        reason=found.get("LastUpdateStatusReason") or found.get("StateReason") or "",
        log_group=found.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}"),
        errors=looking.total("AWS/Lambda", "Errors", FunctionName=name),
    )


def _event_source(looking: AwsLookup, resources: Resources) -> EventSource | Unknown | None:
    (uuid, *_) = resources.types.get("AWS::Lambda::EventSourceMapping", (None,))

    def ask() -> EventSource:
        found = looking.client("lambda").get_event_source_mapping(UUID=uuid)
        reports = "ReportBatchItemFailures" in found.get("FunctionResponseTypes", ())
        return EventSource(found["UUID"], found["State"], found["EventSourceArn"], reports)

    return None if uuid is None else looking.at("could not look up the event source mapping", ask)


def _queue(looking: AwsLookup, url: str | None) -> Queue | Unknown | None:
    def ask() -> Queue:
        found = looking.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return Queue(str(url), found["Attributes"])

    return None if url is None else looking.at("could not look up the queue", ask)


def _oldest(looking: AwsLookup, queue: Queue | Unknown | None) -> float | Unknown | None:
    if not isinstance(queue, Queue):
        return queue
    name = queue.url.rpartition("/")[2]
    return looking.latest("AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName=name)


def _alarms(looking: AwsLookup, resources: Resources) -> Alarms | Unknown:
    names = resources.types.get("AWS::CloudWatch::Alarm", ())

    def ask() -> list[dict[str, Any]]:
        # Up to 100: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
        found = looking.client("cloudwatch").describe_alarms(AlarmNames=list(names), MaxRecords=100)
        alarms: list[dict[str, Any]] = found["MetricAlarms"]
        return alarms

    if not names:
        return Alarms((), (), {})
    found = looking.known("could not look up the alarms", ask)
    if isinstance(found, Unknown):
        return found
    alarms = tuple(
        Alarm(
            name=each["AlarmName"],
            state=each.get("StateValue", "INSUFFICIENT_DATA"),
            description=each.get("AlarmDescription", ""),
            enabled=each.get("ActionsEnabled", True),
            topics=tuple(each.get("AlarmActions", ())),
        )
        for each in found
    )
    topics = sorted({topic for each in alarms for topic in each.topics if ":sns:" in topic})
    missing = tuple(sorted(set(names) - {each.name for each in alarms}))
    return Alarms(alarms, missing, {topic: _subscribers(looking, topic) for topic in topics})


def _subscribers(looking: AwsLookup, topic: str) -> int | Unknown:
    def ask() -> int:
        pages = looking.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        # One that was not confirmed has no ARN yet: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
        return sum(each["SubscriptionArn"].startswith("arn:") for page in pages for each in page["Subscriptions"])

    return looking.known(f"could not list the subscriptions of {topic}", ask)
