"""The precheck's handler, asked as CodeDeploy asks it, with clients that are held to AWS's own model."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

import precheck
from flagcast.edges import wiring
from flagcast.edges.aws import client as aws_client
from flagcast_cli.checkout import CONFIGURATION, SAMPLES

ASKED = {"DeploymentId": "d-ABCDEF123", "LifecycleEventHookExecutionId": "eyJlbmNyeXB0ZWREYXRhIjoi"}
GOOD = """
sources: {flipt: {signing_secrets: ["${secret:signing}"]}}
destinations:
  chat: {preset: slack, url: "${secret:chat#url}"}
  audit: {url: https://audit.example.com}
notify: chat
"""


class CodeDeploy:
    """What CodeDeploy is told, at once."""

    def __init__(self) -> None:
        self.client = aws_client.client("codedeploy")
        self.told: list[str] = []

    def ask(self, status: str) -> None:
        """Ask the precheck; it must answer this, and answer this deployment."""
        with Stubber(self.client) as stub:
            answered = {"deploymentId": ASKED["DeploymentId"], "status": status}
            expected = {**answered, "lifecycleEventHookExecutionId": ASKED["LifecycleEventHookExecutionId"]}
            stub.add_response("put_lifecycle_event_hook_execution_status", {}, expected)
            precheck.handler(ASKED, None)
            stub.assert_no_pending_responses()


@pytest.fixture
def deploying(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodeDeploy:
    for name, value in {
        "FLAGCAST_CONFIG": str(tmp_path / "flagcast.yaml"),
        "FLAGCAST_QUEUE_URL": "https://queue",
        "FLAGCAST_DEAD_LETTER_QUEUE_URL": "https://dead",
        "FLAGCAST_SECRET_PREFIX": "flagcast/test/",
        "FLAGCAST_PARAMETER_PREFIX": "/flagcast/test/",
        "FLAGCAST_STATE_TABLE": "state",
        "FLAGCAST_BODIES_BUCKET": "bodies",
        "FLAGCAST_CIRCUIT_BREAKER": "on",
    }.items():
        monkeypatch.setenv(name, value)
    secrets = aws_client.client("secretsmanager")
    secrets.create_secret(Name="flagcast/test/signing", SecretString="s3cr3t")
    secrets.create_secret(Name="flagcast/test/chat", SecretString=json.dumps({"url": "https://hooks.example.com"}))
    (tmp_path / "templates").mkdir()
    return CodeDeploy()


def configure(folder: Path, text: str) -> None:
    (folder / "flagcast.yaml").write_text(text, encoding="utf-8")
    wiring.forget()


def faults(capfd: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    return [f"{line['path']}: {line['detail']}" for line in lines if line["event"] == "fault.found"]


def test_a_good_configuration_may_have_the_traffic(
    deploying: CodeDeploy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, GOOD)
    deploying.ask("Succeeded")
    assert faults(capfd) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sources: [", ": "),
        (GOOD.replace("preset: slack", "preset: slakc"), "destinations.chat.preset: "),
        (GOOD + "defaults: {timeout: 31s}", "destinations.audit.timeout: "),
        (GOOD.replace("https://audit.example.com", "https://a, body: '{{ event.flag_key.nothing.more }}'"),
         "destinations.audit: "),
        (GOOD.replace("secret:chat#url", "secret:chatt#url"), "destinations.chat: ${secret:chatt#url}: "),
        (GOOD.replace("secret:chat#url", "secret:chat#address"), "destinations.chat: ${secret:chat#address}: "),
        (GOOD.replace("secret:signing", "secret:signin"), "sources.flipt: ${secret:signin}: "),
    ],
    ids=["yaml", "preset", "timeout", "template", "secret", "key", "source"],
)  # fmt: skip
def test_whatever_is_wrong_rolls_the_deployment_back_and_the_log_says_what_and_where(
    deploying: CodeDeploy, tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, fault: str
) -> None:
    configure(tmp_path, text)
    deploying.ask("Failed")
    found = faults(capfd)
    assert [each for each in found if each.startswith(fault)], found
    assert "s3cr3t" not in str(found)


def test_an_error_that_nobody_expected_is_a_no_and_not_an_hour_of_waiting(
    deploying: CodeDeploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError("with a secret in it")

    configure(tmp_path, GOOD)
    monkeypatch.setattr(precheck, "problems", breaks)
    deploying.ask("Failed")
    out = capfd.readouterr().out
    assert "ZeroDivisionError" in out
    assert "with a secret in it" not in out


def test_the_configuration_that_is_delivered_with_flagcast_passes_once_its_secrets_are_there(
    deploying: CodeDeploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGCAST_CONFIG", str(CONFIGURATION))
    wiring.forget()
    aws_client.client("secretsmanager").create_secret(Name="flagcast/test/flipt-signing-secret", SecretString="x")
    deploying.ask("Succeeded")


def test_it_tries_the_samples_that_flagcast_check_tries() -> None:
    assert {each.name for each in precheck.SAMPLES.iterdir()} == {each.name for each in SAMPLES.iterdir()}
