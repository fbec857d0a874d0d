"""Events that go to AWS services, over moto: through the real handler, by the function's own role."""

import json
from typing import Any

import pytest

from flagcast.edges.aws.client import target_client
from tests.integration.conftest import REGION
from tests.integration.deliver.harness import Stack, bodies

ACCOUNT = "123456789012"
ELSEWHERE = "us-east-2"


def arn(service: str, name: str, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{name}"


def queue(name: str, region: str = REGION) -> Any:
    """Make a queue; returns what reads it."""
    sqs = target_client("sqs", region)
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def received() -> list[dict[str, Any]]:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    return received


def values(message: dict[str, Any]) -> dict[str, str]:
    return {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}


@pytest.mark.parametrize("region", [REGION, ELSEWHERE])
def test_a_queue_gets_the_event_in_the_region_of_its_arn(stack: Stack, region: str) -> None:
    received = queue("audit", region)
    stack.configure({"audit": {"url": arn("sqs", "audit", region), "headers": {"X-Type": "{{ event.type }}"}}})
    raw = bodies()[0]
    stack.put("audit", raw)
    assert stack.deliver() == []
    [message] = received()
    assert message["Body"].encode() == raw
    attributes = values(message)
    assert attributes.pop("Webhook-Id").startswith("evt_")
    assert attributes.pop("Webhook-Timestamp").isdigit()
    assert attributes == {"Content-Type": "application/json", "X-Type": json.loads(raw)["type"]}
    assert stack.waiting() == {}
    assert stack.dead_letters() == []


def test_a_fifo_queue_gets_the_group_of_the_task_and_takes_a_repeat_for_one(stack: Stack) -> None:
    received = queue("audit.fifo")
    stack.configure({"audit": {"url": arn("sqs", "audit.fifo")}})
    sent = stack.put("audit", bodies()[0], "subject")
    event = stack.source.poll()
    assert event is not None
    # A function that is killed before its task is deleted makes the attempt again.
    stack.invoke(event)
    stack.invoke(event)
    [message] = received()
    assert message["Attributes"]["MessageGroupId"] == sent.group
    assert len(message["Attributes"]["MessageDeduplicationId"]) == 48


def test_two_destinations_may_share_a_fifo_queue(stack: Stack) -> None:
    received = queue("audit.fifo")
    stack.configure({name: {"url": arn("sqs", "audit.fifo")} for name in ("a", "b")})
    for name in ("a", "b"):
        stack.put(name, bodies()[0])
    while stack.deliver() is not None:
        pass
    assert len(received()) == 2


@pytest.mark.parametrize("name", ["changes", "changes.fifo"])
def test_a_topic_gets_the_event(stack: Stack, name: str) -> None:
    fifo = name.endswith(".fifo")
    received = queue(f"subscribed{'.fifo' if fifo else ''}")
    sns = target_client("sns", REGION)
    topic = sns.create_topic(Name=name, Attributes={"FifoTopic": "true"} if fifo else {})["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", f"subscribed{'.fifo' if fifo else ''}"),
        Attributes={"RawMessageDelivery": "true"},
    )  # fmt: skip
    stack.configure({"topic": {"url": topic, "body": '{"key": {{ event.flag_key }}}', "headers": {"X-A": "b"}}})
    stack.put("topic", bodies()[0])
    assert stack.deliver() == []
    [message] = received()
    assert json.loads(message["Body"]).keys() == {"key"}
    assert values(message)["X-A"] == "b"


def test_a_bus_gets_the_event_as_its_rules_know_it(stack: Stack) -> None:
    events = target_client("events", REGION)
    bus = events.create_event_bus(Name="audit")["EventBusArn"]
    put: list[dict[str, Any]] = []
    events.meta.events.register("provide-client-params.events.PutEvents", lambda params, **_: put.append(params))
    stack.configure({"bus": {"url": bus}})
    raw = bodies()[0]
    wire = json.loads(raw)
    stack.put("bus", raw)
    assert stack.deliver() == []
    [[entry]] = [each["Entries"] for each in put]
    [event_id] = entry.pop("Resources")
    assert event_id.startswith("evt_")
    assert json.loads(entry.pop("Detail")) == wire
    assert entry == {
        "EventBusName": bus,
        "Source": "flagcast.flipt",
        "DetailType": f"{wire['type']}:{wire['action']}",
    }


def test_a_bucket_gets_an_object_of_each_event_under_the_prefix(stack: Stack) -> None:
    s3 = target_client("s3", "")
    s3.create_bucket(Bucket="audit-trail", CreateBucketConfiguration={"LocationConstraint": REGION})
    stack.configure({"bucket": {"url": "arn:aws:s3:::audit-trail/flags", "headers": {"X-A": "b"}}})
    raw = bodies()[0]
    stack.put("bucket", raw)
    assert stack.deliver() == []
    [listed] = s3.list_objects_v2(Bucket="audit-trail")["Contents"]
    assert listed["Key"].startswith("flags/flipt/")
    stored = s3.get_object(Bucket="audit-trail", Key=listed["Key"])
    assert (stored["Body"].read(), stored["ContentType"]) == (raw, "application/json")
    assert stored["Metadata"].keys() == {"webhook-id", "webhook-timestamp", "x-a"}
    assert listed["Key"].endswith(f"/{stored['Metadata']['webhook-id']}.json")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (arn("sqs", "nowhere"), "AWS.SimpleQueueService.NonExistentQueue"),
        (arn("sns", "nowhere"), "NotFound"),
        ("arn:aws:s3:::nowhere-at-all", "NoSuchBucket"),
    ],
)
def test_what_is_not_there_is_gone(stack: Stack, url: str, code: str) -> None:
    stack.configure({"gone": {"url": url}})
    stack.put("gone")
    assert stack.deliver() == []
    attributes = stack.attributes()
    assert (attributes["reason"], attributes["status"]) == ("gone", "410")
    assert code in attributes["detail"]


def test_what_a_service_does_not_take_is_a_dead_letter_that_says_the_limit(stack: Stack) -> None:
    queue("audit")
    stack.configure({"audit": {"url": arn("sqs", "audit"), "body": "{{ ('x' * 1000) * 1049 }}", "escape": "none",
                               "content_type": "text/plain"}})  # fmt: skip
    stack.put("audit")
    assert stack.deliver() == []
    attributes = stack.attributes()
    assert attributes["reason"] == "render_failed"
    assert attributes["detail"].endswith("bytes are too many; SQS takes 1048576")
