"""What `make build` leaves for a deploy."""

import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from flagcast.config.document import from_json
from flagcast.edges.runtime.configuration_file import PRESETS
from flagcast_cli.checkout import ROOT

BUILT = ROOT / ".aws-sam" / "build"
BUILT_PRESETS = BUILT / "FlagcastLayer" / "python" / "flagcast" / "presets"
UNCHECKED = b"\x01\x00\x00\x00"
"""The flags of bytecode that is used whatever the times of files are, as a zip changes them:
https://peps.python.org/pep-0552/"""

LARGEST = 250 * 1024 * 1024
"""Bytes of a function and its layers, unzipped: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


CONFIGURATION = "sources: {flipt: {auth: none}}\ndestinations: {d: {url: 'https://x.example.com/', template: a.j2}}\n"


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module", autouse=True)
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    ours = tmp_path_factory.mktemp("ours")
    (ours / "templates").mkdir()
    (ours / "flagcast.yaml").write_text(CONFIGURATION)
    (ours / "templates" / "a.j2").write_text('{"type": "{{ event.type }}"}')
    done = make("build", f"CONFIG={ours}")
    assert done.returncode == 0, done.stdout + done.stderr


def test_whatever_is_deployed_has_bytecode_that_is_good_wherever_it_is_unpacked() -> None:
    sources = [each for each in BUILT.rglob("*.py") if "__pycache__" not in each.parts]
    assert {each.relative_to(BUILT).parts[0] for each in sources} >= {
        "DependenciesLayer", "FlagcastLayer", "IngestFunction", "DeliverFunction",
    }  # fmt: skip
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[4:8] == UNCHECKED, source


def test_a_configuration_outside_of_the_checkout_is_what_is_deployed() -> None:
    template = yaml.safe_load((BUILT / "template.yaml").read_text())
    layer = BUILT / template["Resources"]["ConfigurationLayer"]["Properties"]["ContentUri"]
    files = {each.relative_to(layer).as_posix(): each.read_text() for each in layer.rglob("*") if each.is_file()}
    assert from_json(files.pop("flagcast.yaml")) == yaml.safe_load(CONFIGURATION)
    assert files == {"templates/a.j2": '{"type": "{{ event.type }}"}'}


def test_every_preset_is_deployed_as_json_which_a_function_reads_without_pyyaml() -> None:
    presets = {each.name: each.read_text(encoding="utf-8") for each in PRESETS.glob("*.yaml")}
    built = {each.name: each.read_text(encoding="utf-8") for each in BUILT_PRESETS.iterdir()}
    assert {name: from_json(text) for name, text in built.items()} == {
        name: yaml.safe_load(text) for name, text in presets.items()
    }


@pytest.mark.parametrize("target", ["build", "deploy"])
def test_an_unknown_environment_is_refused_with_those_there_are(target: str) -> None:
    # It was built, and then died with SAM's "Missing option '--stack-name'".
    done = make(target, "ENV=prod")
    assert done.returncode == 2
    assert "samconfig.toml has no environment prod" in done.stderr
    assert "default, staging, production" in done.stderr


def test_a_configuration_that_is_not_there_is_named_by_its_path(tmp_path: Path) -> None:
    done = make("build", f"CONFIG={tmp_path}")
    assert done.returncode == 2
    assert f"{tmp_path}/flagcast.yaml: no such file; give --config (CONFIG" in done.stderr


def test_the_dependencies_layer_is_what_is_pinned_and_what_these_tests_run_with() -> None:
    layer = metadata.distributions(path=[str(BUILT / "DependenciesLayer" / "python")])
    built = {re.sub(r"[-_.]+", "-", each.name).lower(): each.version for each in layer}
    pins = (ROOT / "layers/dependencies/requirements.txt").read_text(encoding="utf-8")
    assert built == dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", pins, re.MULTILINE))
    assert built == {name: metadata.version(name) for name in built}


def test_a_function_and_its_layers_fit_into_lambda_with_room_to_spare() -> None:
    sizes = {
        folder.name: sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
        for folder in BUILT.iterdir()
        if folder.is_dir()
    }
    layers = sum(size for name, size in sizes.items() if name.endswith("Layer"))
    largest = max(size for name, size in sizes.items() if name.endswith("Function"))
    assert layers + largest < LARGEST / 2, sizes
