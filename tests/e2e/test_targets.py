"""One event to a queue, a topic, an event bus and a bucket, from the deployed template."""

import json
import time
from collections.abc import Callable
from typing import Any

from flagcast_cli.local.stack import Stack
from tests.e2e.events import event_named, post_signed, wait_until_empty
from tests.support.time_limits import PATIENCE

ACCOUNT = "000000000000"


def queue(stack: Stack, name: str, **attributes: str) -> Callable[[], dict[str, Any]]:
    """Make a queue; returns what waits for its one message."""
    sqs = stack.emulator.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def arrived() -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = sqs.receive_message(
                QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                found: dict[str, Any] = message
                return found
        raise AssertionError(f"nothing came to {name}")

    return arrived


def arn_of(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def test_one_event_goes_to_a_queue_a_topic_a_bus_and_a_bucket(stack: Stack) -> None:
    of_queue = queue(stack, "changes.fifo", FifoQueue="true")
    of_topic, of_bus = queue(stack, "of-the-topic"), queue(stack, "of-the-bus")
    sns, events, s3 = (stack.emulator.client(each) for each in ("sns", "events", "s3"))
    topic = sns.create_topic(Name="changes")["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn_of("of-the-topic"), Attributes={"RawMessageDelivery": "true"}
    )
    events.create_event_bus(Name="changes")
    pattern = {"source": ["flagcast.flipt"], "detail-type": ["token:updated"], "detail": {"payload": {"key": ["k"]}}}
    events.put_rule(Name="tokens", EventBusName="changes", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="tokens", EventBusName="changes", Targets=[{"Id": "1", "Arn": arn_of("of-the-bus")}])
    s3.create_bucket(Bucket="changes-of-flags")

    body = event_named("k", "token", "updated")
    event_id = post_signed(stack, body)["event_id"]

    queued = of_queue()
    assert queued["Body"].encode() == body
    assert queued["MessageAttributes"]["Webhook-Id"]["StringValue"] == event_id
    assert queued["Attributes"].keys() >= {"MessageGroupId", "MessageDeduplicationId"}
    published = of_topic()
    assert json.loads(published["Body"]) == {"key": "k"}
    assert published["MessageAttributes"]["X-Type"]["StringValue"] == "token"
    matched = json.loads(of_bus()["Body"])
    assert (matched["detail"], matched["resources"]) == (json.loads(body), [event_id])
    wait_until_empty(stack)
    [listed] = s3.list_objects_v2(Bucket="changes-of-flags", Prefix="audit/flipt/")["Contents"]
    assert listed["Key"].endswith(f"/{event_id}.json")
    stored = s3.get_object(Bucket="changes-of-flags", Key=listed["Key"])
    assert (stored["Body"].read(), stored["Metadata"]["webhook-id"]) == (body, event_id)
