"""Events that go to AWS services, over moto: through the real handler, by the function's own role."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from flagcast.delivery.decision import is_outage
from flagcast.edges.aws.client import target_client
from flagcast.edges.aws.targets import transport
from flagcast.exchange.aws_request import AwsRequest, MessageIds
from flagcast.primitives.aws_target import AwsTarget, read_target
from flagcast.primitives.timestamp import rfc3339
from flagcast.tasks.outcomes import Answered, Outcome, Unreachable
from flagcast.tasks.task import encode, task
from tests.integration.conftest import REGION, end_calls_left_behind, start_fresh
from tests.integration.deliver.harness import Stack, bodies
from tests.integration.deliver.raw_server import serving
from tests.support.iam.denied import THROTTLED, Body, deny
from tests.support.ports import free_port
from tests.support.time_limits import PATIENCE, ends_within

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
    asked: list[dict[str, Any]] = []
    events = target_client("sqs", region).meta.events
    events.register("provide-client-params.sqs.SendMessage", lambda params, **_: asked.append(params))
    stack.configure({"audit": {"url": arn("sqs", "audit", region), "headers": {"X-Type": "{{ event.type }}"}}})
    raw = bodies()[0]
    stack.put("audit", raw)
    assert stack.deliver() == []
    [message] = received()
    assert message["Body"].encode() == raw
    attributes = values(message)
    assert attributes.pop("Webhook-Id").startswith("evt_")
    assert attributes == {"Content-Type": "application/json", "X-Type": json.loads(raw)["type"]}
    assert [each["QueueUrl"] for each in asked] == [f"https://sqs.{region}.amazonaws.com/{ACCOUNT}/audit"]
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
        made = task("evt_1", "flipt", name, rfc3339(stack.clock.now()), bodies()[0])
        # In one group, as they are there if nothing but the subject made it.
        stack.put_text(encode(made), "group", made.id)
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
    assert stored["Metadata"].keys() == {"webhook-id", "x-a"}
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


ARNS = {
    "sqs": arn("sqs", "audit"),
    "sns": arn("sns", "changes"),
    "events": arn("events", "event-bus/audit"),
    "s3": "arn:aws:s3:::audit-trail",
}
PERMISSIONS = {
    "sqs": "sqs:SendMessage", "sns": "sns:Publish", "events": "events:PutEvents", "s3": "s3:PutObject",
}  # fmt: skip


def client_of(service: str) -> Any:
    return target_client(service, "" if service == "s3" else REGION)


@pytest.mark.parametrize("service", ARNS)
def test_a_service_that_the_role_may_not_use_is_a_dead_letter_that_names_the_permission(
    stack: Stack, service: str
) -> None:
    deny(client_of(service).meta.events, service)
    stack.configure({"denied": {"url": ARNS[service]}, "well": {}})
    stack.put("denied")
    stack.put("well")
    assert stack.deliver() == []
    attributes = stack.attributes()
    assert (attributes["reason"], attributes["status"], attributes["destination"]) == ("rejected", "403", "denied")
    assert attributes["detail"].startswith(f"{PERMISSIONS[service]} on {ARNS[service]} is not allowed: ")


def test_what_is_asked_of_an_answer_is_asked_of_aws_too(stack: Stack) -> None:
    deny(client_of("sqs").meta.events, "sqs")
    when = "response.status == 403 and 'AccessDenied' in response.text and response.headers is mapping"
    stack.configure({"later": {"url": ARNS["sqs"], "retry": {"when": when}}})
    sent = stack.put("later")
    assert stack.deliver() == [sent.id]
    assert stack.dead_letters() == []
    target_client.cache_clear()
    queue("audit")
    stack.configure({"later": {"url": ARNS["sqs"], "accept": "'MessageId' not in response.text"}})
    stack.wait(60)
    assert stack.deliver() == []
    assert stack.attributes()["reason"] == "rejected"


@pytest.mark.parametrize("service", ARNS)
def test_a_service_that_is_called_too_often_is_left_alone_for_a_while(stack: Stack, service: str) -> None:
    deny(client_of(service).meta.events, service, THROTTLED[service])
    stack.configure({"busy": {"url": ARNS[service], "retry": {"initial_interval": "40s"}}, "well": {}})
    first, second = stack.put("busy"), stack.put("busy")
    stack.put("well")
    stack.deliver()
    stack.deliver()
    assert stack.dead_letters() == []
    # The whole destination rests, as it does after an answer of 429.
    assert min(stack.delay(first), stack.delay(second)) >= 32
    assert [each.path for each in stack.receiver.requests()] == ["/well"]


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be someone to AWS, which is a server of the test's own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("NO_PROXY", "*")
    start_fresh()
    yield
    end_calls_left_behind()
    start_fresh()


def hanging(connection: socket.socket, over: threading.Event) -> None:
    over.wait(PATIENCE)


def a_proxys_page(connection: socket.socket, _: threading.Event, page: bytes = b"<h1>Sign in</h1>") -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + page)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65_536):
        pass


def half_a_page(connection: socket.socket, over: threading.Event) -> None:
    a_proxys_page(connection, over, b"<h1>Sign")


def closing(connection: socket.socket, _: threading.Event) -> None:
    connection.recv(65_536)


def sent(service: str, seconds: float) -> Outcome:
    target = read_target(ARNS[service])
    assert isinstance(target, AwsTarget)
    made = AwsRequest(target, b"{}", {"Webhook-Id": "evt_1"}, MessageIds("g", "d"), key="k", event_id="evt_1")
    return transport.send(made, time.monotonic() + seconds, target_client)


@pytest.mark.parametrize("service", ARNS)
@pytest.mark.parametrize(
    ("does", "seconds", "cause"),
    [
        (hanging, 0.5, "timeout"),
        (a_proxys_page, PATIENCE, "protocol"),
        (half_a_page, PATIENCE, "protocol"),
        (closing, PATIENCE, "protocol"),
    ],
)
def test_a_service_that_does_not_answer_is_unreachable_by_the_deadline(
    signed_in: None,
    monkeypatch: pytest.MonkeyPatch,
    does: Callable[[socket.socket, threading.Event], None],
    seconds: float,
    cause: str,
    service: str,
) -> None:
    with serving(does) as url, ends_within(seconds):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url.removesuffix("/in"))
        outcome = sent(service, seconds)
    assert is_outage(outcome)
    # botocore reads half an answer of S3's as a failure of S3's.
    assert isinstance(outcome, Unreachable) is ((does, service) != (half_a_page, "s3"))
    assert not isinstance(outcome, Unreachable) or outcome.cause == cause


def test_a_service_that_no_one_can_connect_to_is_unreachable(signed_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    assert sent("sqs", PATIENCE) == Unreachable("connection")


def test_a_bucket_in_another_region_is_asked_there(signed_in: None) -> None:
    # Its ARN has no region. botocore asks again where S3 says, although a call is made once alone:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html (redirects).
    asked: list[str] = []

    def answered(request: Any, **_: object) -> AWSResponse:
        asked.append(request.url)
        headers = HTTPHeaders()
        headers["x-amz-bucket-region" if len(asked) == 1 else "x-amz-request-id"] = ELSEWHERE
        return AWSResponse(request.url, 301 if len(asked) == 1 else 200, headers, Body(b""))

    target_client("s3", "").meta.events.register("before-send", answered)
    assert isinstance(sent("s3", PATIENCE), Answered)
    assert [url.split("/")[2] for url in asked] == [
        f"audit-trail.s3.{REGION}.amazonaws.com",
        f"audit-trail.s3.{ELSEWHERE}.amazonaws.com",
    ]
