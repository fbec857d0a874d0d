"""What deliver asks of AWS, and what becomes of a task when it may not."""

import json
from typing import Any

import boto3
import pytest

from flagcast.config.archive_destination import ARCHIVE
from flagcast.edges.wiring import deliver_batch, resources
from flagcast.primitives.timestamp import rfc3339
from flagcast.tasks.task import claim_check, encode, event_id, task
from flagcast_cli.local.receiver_script import Answer
from tests.integration.conftest import REGION
from tests.integration.deliver.harness import Stack, bodies
from tests.integration.deliver.test_notices import _start_fresh
from tests.support.iam.denied import deny
from tests.support.iam.recorded import Calls, calls_of, watched

GUARDED = {"headers": {"X-One": "${secret:one}", "X-Two": "${ssm:two}"}}
LARGE = bodies()[0]


@pytest.fixture
def services(aws: None) -> dict[str, Any]:
    """Every service that the function knows but SQS, which is simulated."""
    make: Any = boto3.Session(region_name=REGION).client
    made: dict[str, Any] = {name: make(name) for name in ("s3", "ssm", "secretsmanager", "dynamodb")}
    made["s3"].create_bucket(Bucket="bodies", CreateBucketConfiguration={"LocationConstraint": REGION})
    made["s3"].create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    made["s3"].put_object(Bucket="bodies", Key=f"bodies/{event_id('flipt', LARGE)}", Body=LARGE)
    made["secretsmanager"].create_secret(Name="flagcast/test/one", SecretString="1")
    made["ssm"].put_parameter(Name="/flagcast/test/two", Value="2", Type="SecureString")
    return made


@pytest.fixture
def on(stack: Stack, services: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The function with circuits and notices."""
    monkeypatch.setenv("FLAGCAST_CIRCUIT_BREAKER", "on")
    monkeypatch.setenv("FLAGCAST_STACK", "flagcast-test")
    clients = {**services, "sqs": stack.simulator}
    monkeypatch.setattr(resources, "client", watched(clients.__getitem__, "deliver"))
    archive = watched(services.__getitem__, "deliver")
    monkeypatch.setattr(deliver_batch, "target_client", lambda service, _: archive(service))
    stack.configure({"chat": {"preset": "json"}, "ill": {}, "gone": {}, "guarded": GUARDED, "well": {}})
    path = stack.folder / "flagcast.yaml"
    stack.write(json.dumps({**json.loads(path.read_text()), "notify": "chat"}))
    _start_fresh()
    return stack


def put_large(stack: Stack) -> Any:
    made = task(event_id("flipt", LARGE), "flipt", "well", rfc3339(stack.clock.now()), LARGE)
    return stack.put_text(encode(claim_check(made)), "large", made.id)


def test_everything_that_is_listed_is_asked(on: Stack, asked_of_aws: Calls) -> None:
    on.receiver.script("/ill", [Answer(503)])
    on.receiver.script("/gone", [Answer(403)])
    put_large(on)
    on.put("guarded")
    on.put("gone")
    on.put(ARCHIVE)
    for _ in range(4):
        on.put("ill")
    for _ in range(20):
        while on.deliver() is not None:
            pass
        on.wait(120)
    assert asked_of_aws.made["deliver"] == calls_of("deliver")


def test_a_body_that_the_role_may_not_fetch_waits_and_is_no_dead_letter(on: Stack, services: dict[str, Any]) -> None:
    large, other = put_large(on), on.put("well")
    deny(services["s3"].meta.events, "s3")
    assert on.deliver() == [large.id]
    assert other.id not in on.waiting()
    assert on.delay(large) > 0
    assert on.dead_letters() == []


@pytest.mark.parametrize("service", ["secretsmanager", "ssm"])
def test_a_secret_that_the_role_may_not_read_holds_its_destination_alone(
    on: Stack, services: dict[str, Any], service: str
) -> None:
    held, other = on.put("guarded"), on.put("well")
    deny(services[service].meta.events, service)
    assert on.deliver() == [held.id]
    assert other.id not in on.waiting()
    assert on.dead_letters() == []
    assert [each.path for each in on.receiver.requests()] == ["/well"]


def test_a_state_table_that_the_role_may_not_use_stops_no_delivery(
    on: Stack, services: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    deny(services["dynamodb"].meta.events, "dynamodb")
    on.put("well")
    assert on.deliver() == []
    assert [each.path for each in on.receiver.requests()] == ["/well"]
    assert "AccessDeniedException" in json.dumps(on.lines(capfd))
