"""What `make build` leaves for a deploy."""

import re
import subprocess
from importlib import metadata

import pytest

from flagcast_cli.checkout import ROOT

BUILT = ROOT / ".aws-sam" / "build"
UNCHECKED = b"\x01\x00\x00\x00"
"""The flags of bytecode that is used whatever the times of files are, as a zip changes them:
https://peps.python.org/pep-0552/"""

LARGEST = 250 * 1024 * 1024
"""Bytes of a function and its layers, unzipped: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    subprocess.run(["make", "build"], cwd=ROOT, check=True, capture_output=True, timeout=300)


def test_whatever_is_deployed_has_bytecode_that_is_good_wherever_it_is_unpacked() -> None:
    sources = [each for each in BUILT.rglob("*.py") if "__pycache__" not in each.parts]
    assert {each.relative_to(BUILT).parts[0] for each in sources} >= {
        "DependenciesLayer", "FlagcastLayer", "IngestFunction", "DeliverFunction", "PrecheckFunction",
    }  # fmt: skip
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[4:8] == UNCHECKED, source


def test_the_precheck_is_built_with_the_samples_that_it_tries() -> None:
    samples = {each.name: each.read_bytes() for each in (ROOT / "events/flipt").iterdir()}
    assert {each.name: each.read_bytes() for each in (BUILT / "PrecheckFunction/samples").iterdir()} == samples


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
