"""The configuration that a stack runs with, read from the layer of its functions."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest

from flagcast.config.model import Destination
from flagcast_cli.console import CommandError
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer, Reset
from flagcast_cli.stack import deployed_configuration as under_test
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.deployed_configuration import deployed_configuration

LAYER = "arn:aws-cn:lambda:cn-north-1:123456789012:layer:flagcast-config"
FILES = {
    "flagcast.yaml": "sources: {flipt: {auth: none}}\n"
    "destinations: {d: {url: 'https://d.example.com', ordering: none, template: t.j2}}\n",
    "templates/t.j2": "{}",
}


def archive(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w") as written:
        for name, text in files.items():
            written.writestr(name, text)
    return made.getvalue()


class Deployed:
    """CloudFormation, Lambda and the address that it gives for a layer's content."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.function: dict[str, Any] = {
            "Layers": [{"Arn": f"{LAYER}s:1"}, {"Arn": f"{LAYER}:7"}],
            "Environment": {"Variables": {"FLAGCAST_CONFIG": "/opt/flagcast.yaml"}},
        }
        self.resources = [{"LogicalResourceId": "DeliverFunction", "PhysicalResourceId": "deliver"}]
        self.asked: dict[str, Any] = {}

    def describe_stack_resources(self, **_: str) -> dict[str, Any]:
        return {"StackResources": self.resources}

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return self.function

    def get_layer_version(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {"Content": {"Location": f"{self.receiver.url}/layer?signature=canary"}}


@pytest.fixture
def deployed(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    made = Deployed(receiver)
    monkeypatch.setattr(Account, "session", lambda _: SimpleNamespace(client=lambda _: made))
    return made


def served(receiver: Receiver, *answers: Any) -> None:
    receiver.script("/layer?signature=canary", answers)


def test_it_is_what_is_in_the_layer_that_deliver_has(deployed: Deployed, receiver: Receiver) -> None:
    served(receiver, Answer(200, body=archive(FILES)))
    found = deployed_configuration("flagcast", Account())
    assert deployed.asked == {"LayerName": "flagcast-config", "VersionNumber": 7}
    read = found.destinations["d"]
    assert isinstance(read, Destination)
    assert read.ordering == "none"


def test_the_layer_of_a_stack_with_the_longest_name_is_asked_for_in_as_many_characters_as_lambda_takes(
    deployed: Deployed, receiver: Receiver
) -> None:
    # The ARN was asked for: with a stack name of more than 90 characters it was longer than Lambda takes.
    # https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html, LayerName
    stack = "s" * 128
    deployed.function["Layers"] = [{"Arn": f"arn:aws:lambda:ap-southeast-2:123456789012:layer:{stack}-config:7"}]
    served(receiver, Answer(200, body=archive(FILES)))
    deployed_configuration(stack, Account())
    assert deployed.asked["LayerName"] == f"{stack}-config"
    assert len(deployed.asked["LayerName"]) <= 140


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(403, body=b"canary"), "could not be downloaded: HTTPError"),
        (Reset(), "could not be downloaded: ConnectionError"),
        (Answer(200, body=b"canary"), "layer is no archive"),
        (Answer(200, body=archive({"other": ""})), "the deployed configuration cannot be read"),
        (Answer(200, body=archive({"flagcast.yaml": "["})), "the deployed configuration cannot be read"),
    ],
    ids=["refused", "reset", "no archive", "no configuration", "not YAML"],
)
def test_what_cannot_be_read_is_said_without_the_link(
    deployed: Deployed, receiver: Receiver, answer: Any, message: str
) -> None:
    served(receiver, answer)
    with pytest.raises(CommandError, match=message) as raised:
        deployed_configuration("flagcast", Account())
    assert "canary" not in str(raised.value)


def test_an_archive_that_unpacks_to_more_than_lambda_takes_is_not_unpacked(
    deployed: Deployed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "LARGEST", 10)
    served(receiver, Answer(200, body=archive(FILES)))
    with pytest.raises(CommandError, match="larger than Lambda takes"):
        deployed_configuration("flagcast", Account())


def test_a_stack_without_the_function_or_its_layer_has_not_been_deployed(deployed: Deployed) -> None:
    deployed.function["Layers"] = [{"Arn": f"{LAYER}s:1"}]
    with pytest.raises(CommandError, match="deliver has no layer flagcast-config"):
        deployed_configuration("flagcast", Account())
    deployed.resources = []
    with pytest.raises(CommandError, match="has no function DeliverFunction"):
        deployed_configuration("flagcast", Account())


def test_the_local_stacks_functions_read_a_file_of_this_machine(deployed: Deployed, tmp_path: Path) -> None:
    file = tmp_path / "flagcast.yaml"
    file.write_text("sources: {flipt: {auth: none}}\ndestinations: {here: {url: 'https://here.example.com'}}\n")
    deployed.function["Environment"]["Variables"]["FLAGCAST_CONFIG"] = str(file)
    assert list(deployed_configuration("flagcast", Account()).destinations) == ["here"]
