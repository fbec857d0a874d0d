"""What `flagcast doctor` finds out of a stack."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from flagcast.events.event import Event, parse
from flagcast.events.flipt_signature import flipt_signature
from flagcast.ingest.body_check import PROBE
from flagcast_cli.checkout import CONFIGURATION as CONFIGURATION_FILE
from flagcast_cli.console import CommandError
from flagcast_cli.doctor.aws_lookup import AwsLookup
from flagcast_cli.doctor.command import doctor
from flagcast_cli.doctor.facts import Alarms, Answer, EventSource, Facts, Function, Queue, Secrets
from flagcast_cli.doctor.finding import Unknown
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer as Answering
from flagcast_cli.stack.account import Account
from tests.integration.cli.doctor_harness import (
    ACCEPTED,
    CONFIGURATION,
    PREFIX,
    SECRET,
    STACK,
    Clients,
    Deployed,
    clients,
    problems,
    receiver,
    seen,
    stack,
)
from tests.integration.conftest import REGION
from tests.support.iam.recorded import watched

__all__ = ["clients", "receiver", "seen", "stack"]


def test_of_a_stack_as_deployed_everything_is_found_and_well(
    stack: Deployed, receiver: Receiver, seen: Callable[..., Facts]
) -> None:
    facts = seen(code=0)
    assert problems(facts) == {}
    assert (facts.where.stack, facts.where.region, facts.status) == (STACK, REGION, "UPDATE_COMPLETE")
    assert facts.functions["deliver"] == Function("Active", "Successful", "", "/aws/lambda/deliver", 0)
    assert facts.event_source == EventSource(stack.uuid, "Enabled", stack.arn(stack.tasks), reports_failures=True)
    assert isinstance(facts.alarms, Alarms)
    assert [each.name for each in facts.alarms.found] == [f"{STACK}-dead-letters", f"{STACK}-quiet"]
    assert facts.alarms.subscribers == {stack.topic: 1}
    assert facts.secrets == Secrets(4, ())
    assert facts.health == Answer(f"{receiver.url}/health", 200, "")


def test_the_probe_is_what_flipt_would_send_signed_with_the_sources_secret(
    stack: Deployed, receiver: Receiver, seen: Callable[..., Facts]
) -> None:
    seen(code=0)
    (sent,) = receiver.requests("/webhooks/flipt")
    headers = {name.lower(): value for name, value in sent.headers}
    assert (sent.method, headers["content-type"]) == ("POST", "application/json")
    assert headers["x-flipt-webhook-signature"] == flipt_signature(sent.body, SECRET)
    event = parse(sent.body)
    assert isinstance(event, Event)
    assert (event.type, event.action) == ("flagcast", PROBE)
    assert abs(datetime.fromisoformat(event.timestamp) - datetime.now(UTC)) < timedelta(minutes=5)


def _disable(stack: Deployed) -> None:
    stack.clients("lambda").update_event_source_mapping(UUID=stack.uuid, Enabled=False)


def _change(stack: Deployed) -> None:
    stack.clients("sqs").set_queue_attributes(QueueUrl=stack.tasks, Attributes={"VisibilityTimeout": "30"})


def _lose_a_letter(stack: Deployed) -> None:
    stack.clients("sqs").send_message(
        QueueUrl=stack.dead, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d"
    )


def _fail(stack: Deployed) -> None:
    stack.clients("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": "Errors",
                "Value": value,
                "Dimensions": [{"Name": "FunctionName", "Value": name}],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=1),
            }
            for name, value in (("ingest", 2), ("another", 9))
        ],
    )


def _fail_unexpectedly(stack: Deployed) -> None:
    stack.clients("cloudwatch").put_metric_data(
        Namespace=f"Flagcast/{STACK}",
        MetricData=[{"MetricName": "Errors", "Value": 1, "Timestamp": datetime.now(UTC) - timedelta(minutes=1)}],
    )


def _wait_for_long(stack: Deployed) -> None:
    # moto hands a message to the function as it is sent.
    functions = stack.clients("lambda")
    functions.update_event_source_mapping(UUID=stack.uuid, Enabled=False)
    stack.clients("sqs").send_message(
        QueueUrl=stack.tasks, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d"
    )
    functions.update_event_source_mapping(UUID=stack.uuid, Enabled=True)
    queue = [{"Name": "QueueName", "Value": "tasks.fifo"}]
    now = datetime.now(UTC)
    stack.clients("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {"MetricName": "ApproximateAgeOfOldestMessage", "Value": value, "Dimensions": queue, "Timestamp": at}
            for value, at in ((10, now - timedelta(minutes=9)), (4000, now - timedelta(minutes=3)))
        ],
    )


def _alarm(stack: Deployed) -> None:
    stack.clients("cloudwatch").set_alarm_state(AlarmName=f"{STACK}-quiet", StateValue="ALARM", StateReason="r")


def _silence(stack: Deployed) -> None:
    stack.clients("cloudwatch").disable_alarm_actions(AlarmNames=[f"{STACK}-quiet"])


def _unsubscribe(stack: Deployed) -> None:
    sns = stack.clients("sns")
    for each in sns.list_subscriptions_by_topic(TopicArn=stack.topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def _lose_a_secret(stack: Deployed) -> None:
    stack.clients("secretsmanager").delete_secret(SecretId=f"{PREFIX}chat", ForceDeleteWithoutRecovery=True)


def _schedule_a_secret(stack: Deployed) -> None:
    stack.clients("secretsmanager").delete_secret(SecretId=f"{PREFIX}chat", RecoveryWindowInDays=7)


def _lose_a_parameter(stack: Deployed) -> None:
    stack.clients("ssm").delete_parameter(Name=f"/{PREFIX}token")


def _lose_a_function(stack: Deployed) -> None:
    stack.clients("lambda").delete_function(FunctionName="ingest")


def _lose_the_queue(stack: Deployed) -> None:
    stack.clients("sqs").delete_queue(QueueUrl=stack.tasks)


def _lose_an_alarm(stack: Deployed) -> None:
    stack.clients("cloudwatch").delete_alarms(AlarmNames=[f"{STACK}-quiet"])


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (_disable, "event source"),
        (_change, "task queue"),
        (_lose_a_letter, "dead letters"),
        (_fail, "ingest"),
        (_fail_unexpectedly, "unexpected errors"),
        (_wait_for_long, "waiting tasks"),
        (_alarm, "alarms"),
        (_silence, "alarms"),
        (_lose_an_alarm, "alarms"),
        (_unsubscribe, "alarm topic"),
        (_lose_a_secret, "secrets"),
        (_schedule_a_secret, "secrets"),
        (_lose_a_parameter, "secrets"),
        (_lose_a_function, "ingest"),
        (_lose_the_queue, "task queue"),
    ],
)
def test_whatever_is_changed_behind_the_stack_is_found_and_nothing_else(
    stack: Deployed, seen: Callable[..., Facts], change: Callable[[Deployed], None], check: str
) -> None:
    change(stack)
    assert problems(seen(code=1)) == {check: "ill"}


def test_a_subscription_that_waits_for_its_confirmation_notifies_no_one(
    stack: Deployed, clients: Clients, seen: Callable[..., Facts]
) -> None:
    client = boto3.client("sns", region_name=REGION)
    pending = {"SubscriptionArn": "PendingConfirmation", "TopicArn": stack.topic, "Protocol": "email"}
    with Stubber(client) as stubber:
        stubber.add_response("list_subscriptions_by_topic", {"Subscriptions": [pending]}, {"TopicArn": stack.topic})
        clients.instead["sns"] = client
        assert problems(seen(code=1)) == {"alarm topic": "ill"}


@pytest.mark.parametrize(
    ("service", "unknown"),
    [
        ("lambda", {"ingest", "deliver", "event source", "secrets"}),
        ("cloudwatch", {"ingest errors", "deliver errors", "unexpected errors", "waiting tasks", "alarms"}),
        ("sqs", {"task queue", "dead-letter queue"}),
        ("sns", {"alarm topic"}),
        ("secretsmanager", {"secrets", "probe"}),
        ("ssm", {"secrets"}),
    ],
)
@pytest.mark.parametrize("error", ["AccessDenied", "unreachable", "an answer that lacks everything"])
def test_what_cannot_be_asked_is_said_to_be_and_the_rest_goes_on(
    stack: Deployed,
    clients: Clients,
    seen: Callable[..., Facts],
    service: str,
    unknown: set[str],
    error: str,
) -> None:
    real = clients(service)
    clients.instead[service] = Refusing(real, error)
    found = problems(seen(code=2))
    if error == "an answer that lacks everything" and service == "lambda":
        # A function's states are taken for granted where an emulator leaves them out.
        unknown = {"event source", "secrets"}
    if error == "an answer that lacks everything" and service == "secretsmanager":
        unknown = {"probe"}
    assert found == dict.fromkeys(unknown, "unknown")


class Refusing:
    """A client of which every call fails, or answers nothing."""

    def __init__(self, real: Any, error: str) -> None:
        self._real, self._error = real, error
        self.meta, self.exceptions = real.meta, real.exceptions

    def get_paginator(self, operation: str) -> Any:
        call = getattr(self, operation)

        class Pages:
            def paginate(self, **arguments: Any) -> Iterator[Any]:
                yield call(**arguments)

        return Pages()

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**_: Any) -> dict[str, Any]:
            match self._error:
                case "AccessDenied":
                    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "canary"}}, operation)
                case "unreachable":
                    raise EndpointConnectionError(endpoint_url="https://canary")
            return {}

        return call


def test_resources_that_cannot_be_listed_leave_the_rest_to_be_looked_at(
    stack: Deployed, clients: Clients, seen: Callable[..., Facts]
) -> None:
    client = boto3.client("cloudformation", region_name=REGION)
    with Stubber(client) as stubber:
        outputs = [{"OutputKey": "HealthUrl", "OutputValue": f"{stack.base}/health"}]
        known = {"StackName": STACK, "CreationTime": datetime.now(UTC), "StackStatus": "UPDATE_COMPLETE"}
        stubber.add_response("describe_stacks", {"Stacks": [{**known, "Outputs": outputs}]})
        stubber.add_client_error("describe_stack_resources", "AccessDenied", "canary")
        clients.instead["cloudformation"] = client
        facts = seen()
    assert isinstance(facts.event_source, Unknown)
    assert "AccessDenied for DescribeStackResources" in facts.event_source.why
    assert facts.queues == {"task queue": None, "dead-letter queue": None}


def test_a_stack_that_does_not_exist_is_no_finding(clients: Clients, seen: Callable[..., Facts]) -> None:
    client = boto3.client("cloudformation", region_name=REGION)
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id x does not exist")
        clients.instead["cloudformation"] = client
        with pytest.raises(CommandError, match=f"^there is no stack {STACK} in this account and region$"):
            seen()


def test_a_stack_of_another_kind_is_no_finding(stack: Deployed, clients: Clients, seen: Callable[..., Facts]) -> None:
    client = boto3.client("cloudformation", region_name=REGION)
    with Stubber(client) as stubber:
        known = {"StackName": STACK, "CreationTime": datetime.now(UTC), "StackStatus": "UPDATE_COMPLETE"}
        stubber.add_response("describe_stacks", {"Stacks": [known]})
        clients.instead["cloudformation"] = client
        with pytest.raises(CommandError, match="has no output HealthUrl"):
            seen()


def test_prefixes_that_the_stack_was_given_are_looked_under(stack: Deployed, seen: Callable[..., Facts]) -> None:
    stack.describe(SecretPrefix="mine/", ParameterPrefix="/mine/")
    facts = seen(code=1)
    assert isinstance(facts.secrets, Secrets)
    assert {each.needed.name for each in facts.secrets.faults if each.needed} == {
        "mine/flipt-signing-secret", "mine/chat", "/mine/token",
    }  # fmt: skip
    assert isinstance(facts.probe, Unknown)


def test_a_secret_that_is_given_signs_and_none_is_read(
    stack: Deployed, receiver: Receiver, clients: Clients, seen: Callable[..., Facts]
) -> None:
    seen(secret="another", code=0)
    (sent,) = receiver.requests("/webhooks/flipt")
    assert dict(sent.headers)["X-Flipt-Webhook-Signature"] == flipt_signature(sent.body, "another")


@pytest.mark.parametrize("reference", ["${ssm:token}", "${env:FLAGCAST_VAR_B}", "${secret:chat#key}"])
def test_a_secret_that_is_not_a_secret_as_a_whole_must_be_given(
    stack: Deployed, seen: Callable[..., Facts], tmp_path: Path, reference: str
) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(json.dumps({**CONFIGURATION, "sources": {"flipt": {"signing_secrets": [reference]}}}))
    facts = seen(config=file, code=2)
    assert facts.probe == Unknown(
        f"doctor cannot read {reference}", ("Set FLAGCAST_SIGNING_SECRET to what Flipt signs with.",)
    )


def test_the_source_that_signs_is_probed_and_another_where_it_is_asked_for(
    stack: Deployed, receiver: Receiver, seen: Callable[..., Facts], tmp_path: Path
) -> None:
    file = tmp_path / "other.yaml"
    sources = {
        "token": {"bearer_tokens": ["${ssm:token}"]},
        "first": {"signing_secrets": ["${secret:flipt-signing-secret}"]},
        "second": {"signing_secrets": ["${secret:chat}"]},
    }
    file.write_text(json.dumps({**CONFIGURATION, "sources": sources}))
    seen(config=file)
    stack.describe()
    seen(config=file, source="second")
    assert [each.path for each in receiver.requests() if each.method == "POST"] == [
        "/webhooks/first", "/webhooks/second",
    ]  # fmt: skip


@pytest.mark.parametrize("source", [None, "token"])
def test_a_source_that_takes_bearer_tokens_alone_is_not_probed(
    stack: Deployed, receiver: Receiver, seen: Callable[..., Facts], tmp_path: Path, source: str | None
) -> None:
    # A signed probe went to a source called flipt, which there was not, or to one that accepts no signature: the doctor
    # of each deploy called a stack ill that was well.
    file = tmp_path / "other.yaml"
    file.write_text(json.dumps({**CONFIGURATION, "sources": {"token": {"bearer_tokens": ["${ssm:token}"]}}}))
    facts = seen(config=file, source=source, code=0)
    assert problems(facts) == {"probe": "note"}
    assert facts.source == "token"
    assert [each.path for each in receiver.requests() if each.method == "POST"] == []


def test_the_configuration_that_was_looked_at_is_in_the_commands_but_for_the_checkouts_own(
    stack: Deployed, seen: Callable[..., Facts], tmp_path: Path
) -> None:
    assert seen().where.config == str(tmp_path / "flagcast.yaml")
    stack.describe()
    assert seen(config=CONFIGURATION_FILE).where.config is None


def test_a_configuration_that_cannot_be_read_leaves_the_secrets_unknown(
    stack: Deployed, seen: Callable[..., Facts], tmp_path: Path
) -> None:
    facts = seen(config=tmp_path / "none.yaml", code=2)
    assert problems(facts) == {"secrets": "unknown"}


@pytest.mark.parametrize("path", ["/", "", "/health", "/webhooks/flipt"])
def test_an_address_of_ones_own_is_asked_in_place_of_the_apis(
    stack: Deployed, receiver: Receiver, seen: Callable[..., Facts], path: str
) -> None:
    receiver.script("/own/webhooks/flipt", [Answering(200, body=ACCEPTED)])
    facts = seen(url=f"{receiver.url}/own{path}", code=0)
    assert isinstance(facts.health, Answer)
    assert facts.health.url == f"{receiver.url}/own/health"


def test_an_api_whose_own_address_is_off_is_asked_at_a_domain_or_not_at_all(
    stack: Deployed, receiver: Receiver, seen: Callable[..., Facts]
) -> None:
    stack.describe(DefaultEndpoint="off")
    assert problems(seen(code=2)) == {"health": "unknown", "probe": "unknown"}
    assert receiver.requests() == []
    stack.describe(DefaultEndpoint="off")
    seen(url=receiver.url, code=0)


@pytest.mark.parametrize(
    "address", ["https://admin:canary@127.0.0.1:1", "http://127.0.0.1:1/?token=canary", "http://a:can/ary@127.0.0.1:1"]
)
def test_a_password_or_token_in_an_address_that_is_given_is_not_shown(
    stack: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    clients: Clients,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    address: str,
) -> None:
    # Both were printed, with the command to repeat them: in CI, into a log that many can read.
    monkeypatch.setattr(Account, "clients", lambda _: watched(clients, "operator"))
    (tmp_path / "flagcast.yaml").write_text(json.dumps(CONFIGURATION))
    doctor(
        Account(), STACK, config=tmp_path / "flagcast.yaml", source=None, secret=None, url=address, flipt=None,
        flipt_url=address, as_json=True,
    )  # fmt: skip
    shown = capsys.readouterr()
    assert '"exit_code": 1' in shown.out
    assert not [each for each in ("canary", "ary@", ":can") if each in shown.out + shown.err]


def test_a_metric_of_long_ago_is_not_looked_at(clients: Clients) -> None:
    clients("cloudwatch").put_metric_data(
        Namespace="n",
        MetricData=[{"MetricName": "m", "Value": 1, "Timestamp": datetime.now(UTC) - timedelta(minutes=20)}],
    )
    looking = AwsLookup(Account(), clients, datetime.now(UTC).timestamp())
    assert (looking.total("n", "m"), looking.latest("n", "m")) == (0, None)


def test_no_secret_is_shown(
    stack: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    clients: Clients,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Account, "clients", lambda _: watched(clients, "operator"))
    file = tmp_path / "flagcast.yaml"
    file.write_text(json.dumps(CONFIGURATION))
    for as_json in (False, True):
        stack.describe()
        doctor(
            Account(), STACK, config=file, source=None, secret=None, url=None, flipt=None, flipt_url=None,
            as_json=as_json,
        )  # fmt: skip
    shown = capsys.readouterr()
    assert "canary" not in shown.out + shown.err
    assert json.loads(shown.out[shown.out.index("{\n") :])["exit_code"] == 0


def test_queue_attributes_are_kept_as_sqs_writes_them(stack: Deployed, seen: Callable[..., Facts]) -> None:
    queue = seen().queues["task queue"]
    assert isinstance(queue, Queue)
    assert (queue.url, queue.attributes["VisibilityTimeout"]) == (stack.tasks, "270")
