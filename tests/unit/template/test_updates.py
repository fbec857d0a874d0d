"""What an update of the stack reaches, and what it must not replace."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.template import ROOT, Template, decided, given, name_of, resources, transformed, translated, written
from tests.unit.template.replacement import KEPT, MAY_CHANGE, create_only, replaced
from tests.unit.template.running import invoked, running
from tests.unit.template.states import EVERYTHING, STATES, state

FUNCTIONS = ("DeliverFunction", "IngestFunction")
OF_NO_FUNCTION = {
    *("AlarmTopicArn", "QuietHours", "FailureRate", "OldestTaskSeconds", "LogRetentionDays", "PointInTimeRecovery"),
    *(
        "ThrottlingRate",
        "ThrottlingBurst",
        "MaximumConcurrency",
        "DefaultEndpoint",
        "KmsKeyArn",
        "PermissionsBoundaryArn",
        "TargetArns",
    ),
}
"""What is said of other resources alone: alarms, API, event source mapping, queues, table, logs, roles."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What is deployed, as someone may change it."""
    for folder in ("functions", "layers"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def runs(made: Template) -> dict[str, Any]:
    return running(made, given(made))


def changed_functions(before: Template, after: Template) -> list[str]:
    was, now = runs(before), runs(after)
    assert was.keys() == now.keys() == {*FUNCTIONS}
    return [name for name in FUNCTIONS if was[name] != now[name]]


def test_the_api_and_the_queue_call_the_functions_themselves() -> None:
    assert invoked(transformed(written())) == {*FUNCTIONS}


# Bug: an alias was called, which kept the version that it had: a changed parameter did not change that version's id.
@pytest.mark.parametrize("name", [each for each in EVERYTHING if each not in {*OF_NO_FUNCTION, "ArchiveLock"}])
def test_a_changed_parameter_reaches_the_function_that_runs(name: str) -> None:
    of_one = [each for each in FUNCTIONS if name.startswith(("Ingest", "Deliver")) and each[:6] != name[:6]]
    after = state("VPC" if name in ("SubnetIds", "SecurityGroupIds") else name)
    assert changed_functions(state("defaults"), after) == [each for each in FUNCTIONS if each not in of_one]


def test_a_lock_changes_the_archive_alone() -> None:
    unlocked, locked = state("ArchiveDays"), state("a locked archive")
    assert changed_functions(unlocked, locked) == []
    was, now = unlocked["Resources"], locked["Resources"]
    assert [name for name in now if was.get(name) != now[name]] == ["ArchiveBucket"]


@pytest.mark.parametrize("name", sorted(OF_NO_FUNCTION))
def test_a_parameter_of_other_resources_changes_them_and_no_function(name: str) -> None:
    assert changed_functions(state("defaults"), state(name)) == []
    before, after = (each["Resources"] for each in (state("defaults"), state(name)))
    said = f"{{'Ref': '{name}'}}"
    assert before != after or said in str(before)


@pytest.mark.parametrize(
    "file",
    [
        "layers/config/flagcast.yaml",
        "layers/config/templates/slack.j2",
        "layers/flagcast/python/flagcast/events/event.py",
        "layers/dependencies/requirements.txt",
    ],
)
def test_whatever_changes_in_a_layer_reaches_both_functions_by_their_layers_alone(checkout: Path, file: str) -> None:
    before = transformed(written(), checkout)
    with (checkout / file).open("a") as opened:
        opened.write("\n# changed\n")
    after = transformed(written(), checkout)
    assert changed_functions(before, after) == [*FUNCTIONS]
    # One call, UpdateFunctionConfiguration: never a new handler with an old layer.
    for name in FUNCTIONS:
        was, now = (each["Resources"][name]["Properties"] for each in (before, after))
        assert [key for key in was if was[key] != now[key]] == ["Layers"]


@pytest.mark.parametrize("name", ["ingest", "deliver"])
def test_a_functions_own_code_reaches_that_function_alone(checkout: Path, name: str) -> None:
    before = transformed(written(), checkout)
    with (checkout / f"functions/{name}/{name}.py").open("a") as opened:
        opened.write("\n# changed\n")
    assert changed_functions(before, transformed(written(), checkout)) == [f"{name.capitalize()}Function"]


def test_what_did_not_change_is_not_updated(checkout: Path) -> None:
    assert changed_functions(transformed(written(), checkout), transformed(written(), checkout)) == []


def test_functions_and_layers_are_of_one_architecture() -> None:
    for name, function in resources(transformed(written()), "AWS::Lambda::Function"):
        assert function["Architectures"] == [{"Ref": "Architecture"}], name
    assert written()["Resources"]["DependenciesLayer"]["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}


def test_a_version_published_by_an_alias_would_be_found() -> None:
    weak = written()
    weak["Resources"]["IngestFunction"]["Properties"] |= {
        "AutoPublishAlias": "live",
        "AutoPublishAliasAllProperties": True,
    }
    made = translated(weak)
    assert "IngestFunctionAliaslive" in invoked(made)
    before, after = (decided(made, IngestMemory=memory) for memory in ("512", "1024"))
    assert runs(before) == runs(after)
    alias = made["Resources"]["IngestFunctionAliaslive"]["Properties"]
    assert name_of(alias["FunctionName"]) == "IngestFunction"


@pytest.mark.parametrize("name", STATES)
def test_no_parameter_replaces_what_keeps_something_but_a_secret_prefix_the_signing_secret(name: str) -> None:
    allowed = [(resource, key) for resource, key, parameter in MAY_CHANGE if parameter in STATES[name]]
    assert replaced(state("defaults"), state(name)) == allowed
    assert replaced(state(name), state("defaults")) == allowed


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ("TaskQueue", "QueueName"),
        ("StateTable", "TableName"),
        ("BodiesBucket", "BucketName"),
        ("ArchiveBucket", "BucketName"),
        ("SigningSecret", "Name"),
    ],
)
def test_a_name_that_a_parameter_decides_would_be_found(resource: str, key: str) -> None:
    weak = translated(written())
    weak["Resources"][resource]["Properties"][key] = {"Fn::Sub": "${Architecture}-named"}
    assert (resource, key) in replaced(decided(weak), decided(weak, Architecture="arm64"))


def test_a_queue_that_a_parameter_turns_off_would_be_found() -> None:
    weak = translated(written())
    weak["Resources"]["AnotherQueue"] = {**weak["Resources"]["DeadLetterQueue"], "Condition": "IsBackedUp"}
    assert ("AnotherQueue", "") in replaced(decided(weak, PointInTimeRecovery="on"), decided(weak))


def test_what_replaces_a_resource_is_read_from_its_schema() -> None:
    assert {kind: bool(create_only(kind)) for kind in KEPT} == dict.fromkeys(KEPT, True)
    assert ["QueueName"] in create_only("AWS::SQS::Queue")
    assert ["Name"] in create_only("AWS::SecretsManager::Secret")
