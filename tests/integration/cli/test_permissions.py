"""What the commands ask of AWS, and what they say when the operator may not."""

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account
from tests.integration.cli import doctor_harness, test_check_stack
from tests.integration.cli.archive_harness import ArchiveStack, archive
from tests.integration.cli.dlq_harness import Dlq, dlq
from tests.integration.cli.known_harness import KnownStack, known
from tests.integration.cli.ledger_harness import LedgerStack, ledger
from tests.support.iam.denied import ANSWERS, CANARY, KEY, Answer, deny
from tests.support.iam.recorded import Calls, calls_of

if TYPE_CHECKING:
    from collections.abc import Callable

checked, doctored = test_check_stack.stack, doctor_harness.stack
clients, seen = doctor_harness.clients, doctor_harness.seen
receiver = doctor_harness.receiver
__all__ = ["archive", "dlq", "known", "ledger"]


def test_everything_that_is_listed_is_asked(
    request: pytest.FixtureRequest, asked_of_aws: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each puts its own doubles where the last one's were.
    check: test_check_stack.Stack = request.getfixturevalue("checked")
    check.deploy(TargetArns=test_check_stack.BUS)
    check.store()
    with check.config.open("a") as configuration:
        configuration.write(f"  bus: {{url: '{test_check_stack.BUS}'}}\n")
    boto3.client("events", region_name="us-east-2").create_event_bus(Name="audit")
    assert check.check("--values") == []
    letters: Dlq = request.getfixturevalue("dlq")
    large = letters.die("chat", apart=True)
    letters.die("chat")
    letters.die("loose")
    assert letters.run("list") == 0
    assert letters.run("show", large.id) == 0
    assert letters.run("redrive", "--destination", "chat", "--yes") == 0
    assert letters.run("drop", "--yes") == 0
    rows: KnownStack = request.getfixturevalue("known")
    assert rows.run("learn") == 0
    with monkeypatch.context() as patched:
        # As if the rows were written after they were listed.
        patched.setattr("flagcast_cli.flipt_state.stored_rows.Table.of", lambda *_: {})
        assert rows.run("learn") == 0
    assert rows.run("forget", "--yes") == 0
    logs: LedgerStack = request.getfixturevalue("ledger")
    assert logs.run("events") == 0
    kept: ArchiveStack = request.getfixturevalue("archive")
    kept.keep(1)
    assert kept.run("verify") == 0
    request.getfixturevalue("doctored")
    look: Callable[..., Any] = request.getfixturevalue("seen")
    look(code=0)
    assert asked_of_aws.made["operator"] == calls_of("operator")


def denied(service: str, answer: Answer | None = None) -> tuple[str, list[str]]:
    """Have a service deny a call of a command, and return what the command says."""
    session = boto3.Session(region_name="eu-central-1")
    deny(session.events, service, answer)
    ask: dict[str, Callable[[Any], Any]] = {
        "sqs": lambda client: client.receive_message(QueueUrl="https://sqs.eu-central-1.amazonaws.com/1/q"),
        "dynamodb": lambda client: client.scan(TableName="t"),
        "s3": lambda client: client.get_object(Bucket="bucket", Key="key"),
        "secretsmanager": lambda client: client.describe_secret(SecretId="s"),
        "ssm": lambda client: client.describe_parameters(),
        "cloudformation": lambda client: client.describe_stacks(StackName="s"),
    }
    make: Any = session.client
    with (
        pytest.raises(CommandError) as raised,
        Account().asking("it could not be looked up", "It needs this and that."),
    ):
        ask[service](make(service))
    return str(raised.value), list(raised.value.next_steps)


@pytest.mark.parametrize(("service", "operation"), [
    ("sqs", "ReceiveMessage"), ("s3", "GetObject"), ("secretsmanager", "DescribeSecret"),
    ("ssm", "DescribeParameters"), ("cloudformation", "DescribeStacks"),
])  # fmt: skip
def test_a_denied_call_is_said_by_its_name_with_what_it_needs_and_who_asked(
    aws: None, service: str, operation: str
) -> None:
    said, steps = denied(service)
    assert said == f"it could not be looked up: {ANSWERS[service][0]} for {operation}"
    assert steps == ["It needs this and that.", "`aws sts get-caller-identity` shows whose credentials you use."]
    assert CANARY not in said


# Bug: SQS answers KMS.AccessDeniedException for a queue whose key one may not use, and the advice was to try again.
def test_a_key_that_may_not_be_used_is_a_denied_call_too(aws: None) -> None:
    said, steps = denied("sqs", KEY[1])
    assert said == "it could not be looked up: KMS.AccessDeniedException for ReceiveMessage"
    assert steps[0] == "It needs this and that."


def test_the_doctor_goes_on_where_it_may_not_look(
    request: pytest.FixtureRequest,
) -> None:
    stack: doctor_harness.Deployed = request.getfixturevalue("doctored")
    session = boto3.Session(region_name="eu-central-1")
    deny(session.events, "ssm")
    stack.clients.instead["ssm"] = session.client("ssm")
    look: Callable[..., Any] = request.getfixturevalue("seen")
    facts = look(code=2)
    assert "AccessDeniedException for DescribeParameters" in str(facts.secrets)
    assert json.dumps(sorted(facts.functions)) == '["deliver", "ingest"]'
