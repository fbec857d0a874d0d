"""What is made of SAM's build: the configuration put in, and for the emulator what it lacks left out."""

import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flagcast.config.document import from_json
from flagcast.edges.runtime.configuration_file import PRESETS
from flagcast_cli.checkout import configuration_file, samconfig_of
from flagcast_cli.console import CommandError
from flagcast_cli.deploy.build import copy_configuration, install_configuration, read_template
from flagcast_cli.deploy.precompile import make_quick, presets_in, write_as_json
from flagcast_cli.local.stack import for_emulator

BUILT: dict[str, Any] = {
    "Globals": {"Function": {"Environment": {"Variables": {"FLAGCAST_CONFIG": "/opt/flagcast.yaml", "A": "b"}}}},
    "Resources": {
        "ConfigurationLayer": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "../../x"}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"Document": {"Version": "2012-10-17", "On": "on"}}},
        "F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "F"}},
        "Simple": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
        "Expression": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Expression": "a / b"}]}},
        "Queue": {"Type": "AWS::SQS::Queue"},
    },
    "Outputs": {"WebhookUrl": {"Value": "https://x"}},
}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """An operator's own configuration, in a checkout of its own."""
    folder = tmp_path / "theirs"
    (folder / "templates" / "chat").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name, text in {
        "flagcast.yaml": "sources: {}",
        "ca.pem": "certificate",
        "notes.txt": "mine",
        "samconfig.toml": "version = 0.1",
        ".git/HEAD": "ref",
        "templates/chat/a.j2": "{{ event.type }}",
    }.items():
        (folder / name).write_text(text)
    return folder


def files(folder: Path) -> dict[str, str]:
    return {each.relative_to(folder).as_posix(): each.read_text() for each in folder.rglob("*") if each.is_file()}


def test_a_configuration_is_copied_with_all_that_is_read_beside_it_and_nothing_else(
    theirs: Path, tmp_path: Path
) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "old.pem").write_text("of another configuration")
    copy_configuration(theirs / "flagcast.yaml", tmp_path / "copy")
    assert files(tmp_path / "copy") == {
        "flagcast.yaml": "sources: {}",
        "ca.pem": "certificate",
        "templates/chat/a.j2": "{{ event.type }}",
    }


def test_a_private_key_beside_a_configuration_is_not_deployed(theirs: Path, tmp_path: Path) -> None:
    # Whatever ended in .pem was uploaded, into SAM's bucket and a layer that many may read.
    (theirs / "server.pem").write_text("-----BEGIN EC PRIVATE KEY-----\ncanary\n-----END EC PRIVATE KEY-----\n")
    with pytest.raises(CommandError, match=r"server\.pem contains a private key"):
        copy_configuration(theirs / "flagcast.yaml", tmp_path / "copy")
    assert "canary" not in "".join(files(tmp_path / "copy").values())


def test_a_configuration_of_another_name_is_the_layers_flagcast_yaml(theirs: Path, tmp_path: Path) -> None:
    (theirs / "mine.yaml").write_text("destinations: {}")
    copy_configuration(theirs / "mine.yaml", tmp_path / "copy")
    assert files(tmp_path / "copy")["flagcast.yaml"] == "destinations: {}"


def test_the_functions_can_read_what_only_its_owner_can(theirs: Path, tmp_path: Path) -> None:
    for each in (theirs, *theirs.rglob("*")):
        each.chmod(stat.S_IRWXU if each.is_dir() else stat.S_IRUSR | stat.S_IWUSR)
    before = os.umask(0o077)
    try:
        copy_configuration(theirs / "flagcast.yaml", tmp_path / "copy")
    finally:
        os.umask(before)
    modes = {each: stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "copy", *(tmp_path / "copy").rglob("*"))}
    assert modes == {each: 0o755 if each.is_dir() else 0o644 for each in modes}


def test_a_folder_without_a_configuration_is_said_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"flagcast.yaml: No such file or directory") as raised:
        copy_configuration(tmp_path / "flagcast.yaml", tmp_path / "copy")
    assert raised.value.next_steps == ("CONFIG (or --config) is a folder with flagcast.yaml.",)


def test_the_built_template_is_changed_in_where_the_configuration_is_and_in_nothing_else(
    theirs: Path, tmp_path: Path
) -> None:
    (tmp_path / "template.yaml").write_text(yaml.safe_dump(BUILT))
    (theirs / "flagcast.yaml").write_text("sources: {}\ndestinations: {d: {url: https://d.example.com}}")
    install_configuration(tmp_path, theirs / "flagcast.yaml")
    made = read_template(tmp_path / "template.yaml")
    uri = made["Resources"]["ConfigurationLayer"]["Properties"].pop("ContentUri")
    assert files(tmp_path / uri)["ca.pem"] == "certificate"
    assert (
        files(tmp_path / uri)["flagcast.yaml"] == '{"sources":{},"destinations":{"d":{"url":"https://d.example.com"}}}'
    )
    assert {**made["Resources"], "ConfigurationLayer": BUILT["Resources"]["ConfigurationLayer"]} == BUILT["Resources"]
    assert made["Globals"] == BUILT["Globals"]
    # What the next deployment asks, so that one without CONFIG does not take every destination away.
    assert made["Outputs"] == {
        **BUILT["Outputs"],
        "Destinations": {"Description": "How many destinations are configured", "Value": "1"},
    }


def test_a_document_is_written_as_json_of_the_same_value(tmp_path: Path) -> None:
    document = tmp_path / "flagcast.yaml"
    document.write_text("a: &a\n  body: |\n    ⛔ {{ x }}\nb: {<<: *a, x: off, c: [1, 2.5, ~]}\n", encoding="utf-8")
    write_as_json(document)
    assert document.read_text(encoding="utf-8") == (
        '{"a":{"body":"⛔ {{ x }}\\n"},"b":{"body":"⛔ {{ x }}\\n","x":false,"c":[1,2.5,null]}}'
    )


@pytest.mark.parametrize(
    "text",
    [
        "a: 2026-11-27\n",
        "a: {1: b}\n",
        "a: .inf\n",
        "a: 1.0e+30\n",
        "a: 1\na: 2\n",
        "- a\n",
        "# nothing\n",
        'a: "\\u00a0"\n',
    ],
)
def test_a_document_that_json_would_change_stays_as_it_is(text: str, tmp_path: Path) -> None:
    document = tmp_path / "flagcast.yaml"
    document.write_text(text)
    write_as_json(document)
    assert document.read_text() == text


def test_every_preset_is_built_as_json_of_the_same_value_and_every_module_as_bytecode(tmp_path: Path) -> None:
    shutil.copytree(PRESETS, tmp_path / "flagcast" / "presets")
    (tmp_path / "flagcast" / "a.py").write_text("x = 1")
    make_quick(tmp_path, presets_in(tmp_path))
    for preset in PRESETS.glob("*.yaml"):
        built = (tmp_path / "flagcast" / "presets" / preset.name).read_text(encoding="utf-8")
        assert from_json(built) == yaml.safe_load(preset.read_text(encoding="utf-8"))
    assert [each.name for each in tmp_path.rglob("*.pyc")] == [f"a.{sys.implementation.cache_tag}.pyc"]


def test_a_link_to_nothing_among_the_templates_does_not_stop_a_build(theirs: Path, tmp_path: Path) -> None:
    # An editor's lock file is one: shutil raised, and the message was "None".
    (theirs / "templates" / ".#a.j2").symlink_to("someone@somewhere.1234")
    copy_configuration(theirs / "flagcast.yaml", tmp_path / "copy")
    assert "templates/chat/a.j2" in files(tmp_path / "copy")


# "flagcast.yaml: None" was said of it.
def test_a_template_that_cannot_be_copied_is_named(theirs: Path, tmp_path: Path) -> None:
    os.mkfifo(theirs / "templates" / "pipe")
    with pytest.raises(CommandError, match=r"templates/pipe: .*is a named pipe"):
        copy_configuration(theirs / "flagcast.yaml", tmp_path / "layer")


def test_the_emulator_gets_the_template_without_what_it_lacks() -> None:
    made = for_emulator(BUILT, Path("/somewhere/flagcast.yaml"))
    variables = made["Globals"]["Function"]["Environment"]["Variables"]
    assert variables == {"FLAGCAST_CONFIG": "/somewhere/flagcast.yaml", "A": "b"}
    assert list(made["Resources"]) == ["ConfigurationLayer", "Role", "F", "Simple", "Queue"]
    assert all(each == BUILT["Resources"][name] for name, each in made["Resources"].items())


def test_a_folder_stands_for_the_flagcast_yaml_in_it(theirs: Path) -> None:
    assert configuration_file(theirs) == theirs / "flagcast.yaml"
    assert configuration_file(theirs / "mine.yaml") == theirs / "mine.yaml"


def test_the_samconfig_beside_the_configuration_comes_before_the_one_of_the_checkout(theirs: Path) -> None:
    config = theirs / "flagcast.yaml"
    assert samconfig_of(config) == theirs / "samconfig.toml"
    (theirs / "samconfig.toml").unlink()
    assert samconfig_of(config).parent != theirs
    assert samconfig_of(config).name == "samconfig.toml"
