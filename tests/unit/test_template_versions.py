"""When a deploy publishes a new version of the functions, who checks it, and what becomes of the old one."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.template import ROOT, Template, changed, name_of, resources, transformed, written

FUNCTIONS = ("IngestFunction", "DeliverFunction")


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What is deployed, as somebody may change it."""
    for folder in ("functions", "layers"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def versions(made: Template) -> dict[str, str]:
    """The version that each function's alias stands for: another logical id is another version."""
    return {
        name_of(alias["FunctionName"]): name_of(alias["FunctionVersion"])
        for _, alias in resources(made, "AWS::Lambda::Alias")
    }


def of_all(made: Template, kind: str) -> dict[str, dict[str, Any]]:
    return dict(resources(made, kind))


@pytest.mark.parametrize(
    "file",
    [
        "layers/config/flagcast.yaml",
        "layers/config/templates/slack.j2",
        "layers/flagcast/python/flagcast/core/event.py",
        "layers/dependencies/requirements.txt",
    ],
)
def test_whatever_is_changed_in_a_layer_is_a_new_version_of_both_functions(checkout: Path, file: str) -> None:
    before = versions(transformed(written(), checkout))
    with (checkout / file).open("a") as opened:
        opened.write("\n# changed\n")
    after = versions(transformed(written(), checkout))
    assert before.keys() == after.keys() == {*FUNCTIONS}
    assert not {*before.values()} & {*after.values()}


def test_a_template_that_is_new_is_a_new_version(checkout: Path) -> None:
    before = versions(transformed(written(), checkout))
    (checkout / "layers/config/templates/another.j2").write_text("{}")
    assert not {*before.values()} & {*versions(transformed(written(), checkout)).values()}


@pytest.mark.parametrize("name", ["ingest", "deliver"])
def test_a_functions_own_code_is_a_new_version_of_that_function_alone(checkout: Path, name: str) -> None:
    before = versions(transformed(written(), checkout))
    with (checkout / f"functions/{name}/{name}.py").open("a") as opened:
        opened.write("\n# changed\n")
    after = versions(transformed(written(), checkout))
    assert [each for each in FUNCTIONS if before[each] != after[each]] == [f"{name.capitalize()}Function"]


def test_a_setting_is_a_new_version_and_nothing_is_none(checkout: Path) -> None:
    before = versions(transformed(written(), checkout))
    assert versions(transformed(written(), checkout)) == before
    after = versions(transformed(changed(written(), "Globals/Function/Runtime", "python3.14"), checkout))
    assert not {*before.values()} & {*after.values()}


@pytest.mark.parametrize(
    ("layer", "file"),
    [
        ("DependenciesLayer", "dependencies/requirements.txt"),
        ("FlagcastLayer", "flagcast/python/flagcast/errors.py"),
        ("ConfigurationLayer", "config/flagcast.yaml"),
    ],
)
def test_a_layer_that_publishes_no_version_would_be_found(checkout: Path, layer: str, file: str) -> None:
    weak = changed(written(), f"Resources/{layer}/Properties/PublishLambdaVersion", False)
    before = versions(transformed(weak, checkout))
    with (checkout / "layers" / file).open("a") as opened:
        opened.write("\n# changed\n")
    assert versions(transformed(weak, checkout)) == before


def test_what_comes_in_and_what_reads_the_queue_use_the_alias() -> None:
    made = transformed(written())
    aliases = of_all(made, "AWS::Lambda::Alias")
    assert [name_of(each["FunctionName"]) for each in of_all(made, "AWS::Lambda::EventSourceMapping").values()] == [
        "DeliverFunctionAliaslive"
    ]
    (api,) = of_all(made, "AWS::ApiGatewayV2::Api").values()
    for path in api["Body"]["paths"].values():
        for method in path.values():
            uri = method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            assert "${IngestFunctionAliaslive}" in uri
    assert aliases.keys() == {f"{each}Aliaslive" for each in FUNCTIONS}


def test_old_versions_are_deleted_once_the_alias_has_moved_on() -> None:
    made = transformed(written())["Resources"]
    kept = {name: each["DeletionPolicy"] for name, each in made.items() if each["Type"] == "AWS::Lambda::Version"}
    assert len(kept) == 2
    assert {*kept.values()} == {"Delete"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_version_has_the_traffic_before_the_precheck_has_said_yes(function: str) -> None:
    made = transformed(written())["Resources"]
    shifting = made[f"{function}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert shifting["BeforeAllowTrafficHook"] == {"Ref": "PrecheckFunction"}
    group = made[name_of(shifting["DeploymentGroupName"])]["Properties"]
    assert "DEPLOYMENT_FAILURE" in group["AutoRollbackConfiguration"]["Events"]
    assert name_of(group["ServiceRoleArn"]) == "DeploymentRole"


def test_the_precheck_looks_at_what_the_functions_will_look_at() -> None:
    made = of_all(transformed(written()), "AWS::Lambda::Function")
    for key in ("Layers", "Environment", "Runtime", "Architectures"):
        assert made["PrecheckFunction"][key] == made["IngestFunction"][key] == made["DeliverFunction"][key], key


@pytest.mark.parametrize("function", FUNCTIONS)
def test_snapshots_are_taken_of_versions_and_only_if_asked_for(function: str) -> None:
    with_them, without = transformed(written(), SnapStart="on"), transformed(written())
    assert of_all(with_them, "AWS::Lambda::Function")[function]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "SnapStart" not in of_all(without, "AWS::Lambda::Function")[function]
    assert "SnapStart" not in of_all(with_them, "AWS::Lambda::Function")["PrecheckFunction"]


def test_functions_and_layers_are_of_one_architecture() -> None:
    made = transformed(written())
    for name, function in of_all(made, "AWS::Lambda::Function").items():
        assert function["Architectures"] == [{"Ref": "Architecture"}], name
    assert written()["Resources"]["DependenciesLayer"]["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}


@pytest.mark.parametrize("kind", ["AllAtOnce", "Canary10Percent5Minutes", "Linear10PercentEvery1Minute"])
def test_traffic_is_shifted_as_the_parameter_says(kind: str) -> None:
    groups = of_all(transformed(written(), DeploymentType=kind), "AWS::CodeDeploy::DeploymentGroup")
    names = [each["DeploymentConfigName"]["Fn::Sub"] for each in groups.values()]
    assert names == [["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": kind}]] * 2
