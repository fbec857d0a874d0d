"""A stack for `flagcast doctor`: over moto, but for CloudFormation (which needs more than is installed here) and
subscriptions that wait for their confirmation, which moto does not know; these are botocore's Stubber.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto.core.config import default_user_config

from flagcast_cli.doctor import report
from flagcast_cli.doctor.command import CHECKS, doctor
from flagcast_cli.doctor.facts import Facts
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer as Answering
from flagcast_cli.stack.account import Account
from tests.integration.conftest import REGION
from tests.support.iam.recorded import watched

STACK = "flagcast-test"
PREFIX = f"flagcast/{STACK}/"
SECRET = "canary-signing-secret"
ASSUMED_BY = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:*"}]}
CONFIGURATION = {
    "sources": {"flipt": {"signing_secrets": ["${secret:flipt-signing-secret}"]}},
    "destinations": {
        "chat": {"url": "${secret:chat}", "headers": {"A": "${ssm:token}", "B": "${env:FLAGCAST_VAR_B}"}},
    },
}
ACCEPTED = b'{"event_id": "evt_1", "deliveries": 0}'


class Clients:
    """The clients of one account, each made once: moto's, but those that are put in their place."""

    def __init__(self) -> None:
        self.instead: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        if service not in self.instead:
            self.instead[service] = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
        return self.instead[service]


class Deployed:
    """A stack as a deploy leaves it, in moto; what CloudFormation says of it is put together here."""

    def __init__(self, clients: Clients, base: str) -> None:
        self.clients, self.base = clients, base
        sqs, functions, cloudwatch = clients("sqs"), clients("lambda"), clients("cloudwatch")
        fifo = {
            "FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
            "MessageRetentionPeriod": "1209600", "MaximumMessageSize": "1048576",
        }  # fmt: skip
        self.dead = sqs.create_queue(QueueName="dead.fifo", Attributes=fifo)["QueueUrl"]
        policy = json.dumps({"deadLetterTargetArn": self.arn(self.dead), "maxReceiveCount": 1000})
        attributes = {**fifo, "VisibilityTimeout": "270", "RedrivePolicy": policy}
        self.tasks = sqs.create_queue(QueueName="tasks.fifo", Attributes=attributes)["QueueUrl"]
        role = clients("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(ASSUMED_BY))["Role"]["Arn"]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("i.py", "")
        for name in ("ingest", "deliver"):
            functions.create_function(
                FunctionName=name, Runtime="python3.13", Role=role, Handler="i.h", Code={"ZipFile": packed.getvalue()},
                Environment={"Variables": {"FLAGCAST_VAR_B": "b"}},
            )  # fmt: skip
        self.uuid = functions.create_event_source_mapping(
            FunctionName="deliver",
            EventSourceArn=self.arn(self.tasks),
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )["UUID"]
        self.topic = clients("sns").create_topic(Name="on-call")["TopicArn"]
        clients("sns").subscribe(TopicArn=self.topic, Protocol="email", Endpoint="a@example.com")
        for name in ("dead-letters", "quiet"):
            cloudwatch.put_metric_alarm(
                AlarmName=f"{STACK}-{name}", AlarmDescription=f"About {name}.", AlarmActions=[self.topic],
                MetricName="m", Namespace="n", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1,
                Period=60, Statistic="Sum", Threshold=1,
            )  # fmt: skip
        for name, value in (("flipt-signing-secret", SECRET), ("chat", "https://x")):
            clients("secretsmanager").create_secret(Name=PREFIX + name, SecretString=value)
        clients("ssm").put_parameter(Name=f"/{PREFIX}token", Value="t", Type="SecureString")
        self.describe()

    def arn(self, url: str) -> str:
        answer = self.clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def describe(self, *, status: str = "UPDATE_COMPLETE", **parameters: str) -> None:
        """Say what CloudFormation answers, once each."""
        client = boto3.client("cloudformation", region_name=REGION)
        now = datetime.now(UTC)
        outputs = {"HealthUrl": f"{self.base}/health", "TaskQueueUrl": self.tasks, "DeadLetterQueueUrl": self.dead}
        stack = {
            "StackName": STACK, "CreationTime": now, "StackStatus": status,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        }  # fmt: skip
        resources = [
            ("IngestFunction", "ingest", "AWS::Lambda::Function"),
            ("DeliverFunction", "deliver", "AWS::Lambda::Function"),
            ("DeliverFunctionTasks", self.uuid, "AWS::Lambda::EventSourceMapping"),
            ("DeadLettersAlarm", f"{STACK}-dead-letters", "AWS::CloudWatch::Alarm"),
            ("QuietAlarm", f"{STACK}-quiet", "AWS::CloudWatch::Alarm"),
        ]
        known = [
            {"LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceType": kind,
             "Timestamp": now, "ResourceStatus": "CREATE_COMPLETE"}
            for logical, physical, kind in resources
        ]  # fmt: skip
        stubber = Stubber(client)
        stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
        stubber.add_response("describe_stack_resources", {"StackResources": known}, {"StackName": STACK})
        stubber.activate()
        self.clients.instead["cloudformation"] = client


@pytest.fixture
def clients(aws: None, monkeypatch: pytest.MonkeyPatch) -> Clients:
    # Else moto runs the function in a container, for each message on the task queue.
    monkeypatch.setitem(default_user_config["lambda"], "use_docker", False)
    return Clients()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiving:
        receiving.script("/webhooks/flipt", [Answering(200, body=ACCEPTED)])
        yield receiving


@pytest.fixture
def stack(clients: Clients, receiver: Receiver) -> Deployed:
    return Deployed(clients, receiver.url)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, clients: Clients, tmp_path: Path) -> Callable[..., Facts]:
    """Return what runs the command over these clients; it returns the facts that were found, and keeps the code."""
    monkeypatch.setattr(Account, "clients", lambda _: watched(clients, "operator"))
    file = tmp_path / "flagcast.yaml"
    file.write_text(json.dumps(CONFIGURATION))

    def look(*, code: int | None = None, **options: Any) -> Facts:
        found: list[Facts] = []
        kept = lambda facts, findings, as_json: found.append(facts)  # noqa: E731 - what is shown is another test's
        monkeypatch.setattr(report, "show", kept)
        given = {
            "config": file, "source": None, "secret": None, "url": None, "flipt": None, "flipt_url": None,
            "as_json": False, **options,
        }  # fmt: skip
        assert doctor(Account(), STACK, **given) == code or code is None
        return found[0]

    return look


def problems(facts: Facts) -> dict[str, str]:
    return {line.check: line.level for check in CHECKS for line in check(facts) if line.level != "ok"}
