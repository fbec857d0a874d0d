"""`flagcast doctor` against the deployed template; what is made ill is put right again.

Other tests share the stack, and may leave dead letters, so a test looks at the lines that it is about.
"""

import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from flagcast.events.event import NOTICE
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.stack import Stack
from flagcast_cli.main import app
from tests.e2e.conftest import CONFIGURATION
from tests.e2e.events import event_named, post_signed
from tests.support.command_line import flagcast

CHECKS = {
    "stack", "ingest", "deliver", "unexpected errors", "event source", "task queue", "dead-letter queue",
    "dead letters", "waiting tasks", "alarms", "alarm topic", "secrets", "health", "probe",
}  # fmt: skip
SHARED = {"dead letters", "waiting tasks", "alarms"}
"""What other tests may leave."""


@pytest.fixture(autouse=True)
def woken(stack: Stack) -> None:
    """Have ingest running: doctor sends its probe once, and on a busy machine a cold start is not answered in time."""
    post_signed(stack, event_named("before-the-doctor"))


def words(stack: Stack, *arguments: str) -> list[str]:
    base = stack.webhook_url.removesuffix("/webhooks/flipt")
    return ["doctor", "--url", base, "--config", str(CONFIGURATION), *arguments]


def ran(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return flagcast(*words(stack, *arguments), **stack.emulator.environment())


def look(stack: Stack, *arguments: str, **environment: str) -> tuple[int, Mapping[str, Mapping[str, Any]]]:
    """Return the exit code and what was found, by check; of several lines of one check the worst."""
    shown = io.StringIO()
    with patch.dict(os.environ, {**stack.emulator.environment(), **environment}), redirect_stdout(shown):
        code = app(words(stack, "--json", *arguments), result_action="return_value")
    whole = json.loads(shown.getvalue())
    assert code == whole["exit_code"]
    order = ("ok", "note", "unknown", "ill")
    by_level = sorted(whole["findings"], key=lambda each: order.index(each["level"]))
    return code, {each["check"]: each for each in by_level}


def resource(stack: Stack, kind: str) -> str:
    found = stack.emulator.client("cloudformation").describe_stack_resources(StackName="flagcast")["StackResources"]
    (name,) = (each["PhysicalResourceId"] for each in found if each["ResourceType"] == kind)
    return str(name)


def test_a_stack_that_was_just_deployed_is_well(stack: Stack, receiver: Receiver) -> None:
    before = len(receiver.requests())
    _, found = look(stack)
    assert found.keys() == CHECKS
    assert {name: each["level"] for name, each in found.items() if name not in SHARED} == {
        **dict.fromkeys(CHECKS - SHARED, "ok"), "alarm topic": "note",
    }  # fmt: skip
    assert "verified and answered evt_" in found["probe"]["found"]
    # What is delivered to /everything is every event there is: no probe came there.
    assert [each for each in receiver.requests()[before:] if NOTICE.encode() in each.body] == []


def test_for_people_each_line_has_a_mark_and_no_secret(stack: Stack) -> None:
    shown = ran(stack)
    assert "✓ event source" in shown.stdout
    assert "✓ probe" in shown.stdout
    assert stack.signing_secret not in shown.stdout + shown.stderr


@contextmanager
def disabled(stack: Stack) -> Iterator[None]:
    functions, uuid = stack.emulator.client("lambda"), resource(stack, "AWS::Lambda::EventSourceMapping")
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=uuid, Enabled=True)


@contextmanager
def changed(stack: Stack) -> Iterator[None]:
    sqs, url = stack.emulator.client("sqs"), stack.outputs["TaskQueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "345600"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "1209600"})


@contextmanager
def without_a_secret(stack: Stack) -> Iterator[None]:
    secrets = stack.emulator.client("secretsmanager")
    name = "flagcast/flagcast/template-mode-token"
    value = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    try:
        yield
    finally:
        secrets.create_secret(Name=name, SecretString=value)


@contextmanager
def alarming(stack: Stack) -> Iterator[None]:
    cloudwatch = stack.emulator.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName="flagcast-held-destinations", StateValue="ALARM", StateReason="test")
    try:
        yield
    finally:
        cloudwatch.set_alarm_state(AlarmName="flagcast-held-destinations", StateValue="OK", StateReason="test")


@pytest.mark.parametrize(
    ("make_ill", "check", "found", "fix"),
    [
        (disabled, "event source", "no delivery leaves the queue", "update-event-source-mapping --uuid"),
        (changed, "task queue", "MessageRetentionPeriod is 345600, the template has 1209600", "set-queue-attributes"),
        (
            without_a_secret,
            "secrets",
            "template-mode-token (${secret:template-mode-token}) is not in us-east-1",
            "create-secret",
        ),
        (alarming, "alarms", "flagcast-held-destinations is on", "docs/operations.md#alarms"),
    ],
)
def test_what_is_ill_is_shown_with_the_next_command(
    stack: Stack, make_ill: Callable[[Stack], Any], check: str, found: str, fix: str
) -> None:
    with make_ill(stack):
        code, lines = look(stack)
    assert (code, lines[check]["level"]) == (1, "ill")
    assert found in lines[check]["found"]
    assert fix in lines[check]["next"][0]
    _, again = look(stack)
    assert again[check]["level"] == "ok" or check in SHARED


def test_a_wrong_secret_is_what_flipt_would_be_answered(stack: Stack) -> None:
    code, lines = look(stack, FLAGCAST_SIGNING_SECRET="another")
    assert (code, lines["probe"]["level"]) == (1, "ill")
    assert "answers 401" in lines["probe"]["found"]


def test_a_flipt_that_points_elsewhere_is_shown(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "flipt.yml"
    webhook = {"enabled": True, "url": stack.webhook_url, "signing_secret": stack.signing_secret}
    file.write_text(json.dumps({"audit": {"sinks": {"webhook": webhook}}}))
    _, lines = look(stack, "--flipt", str(file))
    assert {name: each["level"] for name, each in lines.items() if name.startswith("flipt")} == {
        "flipt version": "note", "flipt webhook": "ok", "flipt url": "ok", "flipt tracing": "note",
    }  # fmt: skip
    file.write_text(json.dumps({"audit": {"sinks": {"webhook": {**webhook, "url": f"{stack.webhook_url}s"}}}}))
    _, lines = look(stack, "--flipt", str(file))
    assert (lines["flipt url"]["level"], "answers 404" in lines["flipt url"]["found"]) == ("ill", True)


def test_a_stack_that_does_not_exist_could_not_be_looked_at(stack: Stack) -> None:
    shown = ran(stack, "--stack", "none-such")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "there is no stack none-such in this account and region" in shown.stderr


def test_where_no_answer_comes_the_rest_is_looked_at_all_the_same(stack: Stack) -> None:
    code, lines = look(stack, AWS_ENDPOINT_URL_CLOUDWATCH="http://127.0.0.1:1")
    assert {name for name, each in lines.items() if each["level"] == "unknown"} >= {"alarms", "unexpected errors"}
    assert lines["probe"]["level"] == "ok"
    assert code in (1, 2)
