"""What the layer pins is what the lock pins, what these tests run with, and what the project depends on."""

import re
import tomllib
from importlib import metadata
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[3]
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
VIA = re.compile(r"^    #(?: via|  )\s+([a-z0-9-]+)", re.MULTILINE)


def pins(path: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / path).read_text()))


def test_the_layer_pins_what_the_lock_pins() -> None:
    layer, lock = pins("layers/dependencies/requirements.txt"), pins("requirements.lock")
    assert layer == {name: lock[name] for name in layer}


def test_these_tests_run_with_what_the_layer_holds() -> None:
    # boto3 came from Lambda's runtime, in a version that no test had seen.
    layer = pins("layers/dependencies/requirements.txt")
    assert {"boto3", "botocore", "requests", "urllib3"} <= layer.keys()
    assert {name: metadata.version(name) for name in layer} == layer


def test_whatever_is_in_the_layer_is_pinned_by_its_hash() -> None:
    text = (ROOT / "layers/dependencies/requirements.txt").read_text()
    assert [
        entry for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:] if "--hash=sha256:" not in entry
    ] == []


def test_the_layer_holds_exactly_what_the_project_depends_on_and_what_that_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    direct = {_name(each) for each in project}
    text = (ROOT / "layers/dependencies/requirements.txt").read_text()
    starts = [*(found.start() for found in PINNED.finditer(text)), len(text)]
    entries = [text[start:end] for start, end in pairwise(starts)]
    needed_by = {entry.partition("==")[0]: set(VIA.findall(entry)) - {"-c", "--override"} for entry in entries}
    assert {name for name, why in needed_by.items() if "flagcast" in why} == direct
    assert [name for name, why in needed_by.items() if not why or not why <= {"flagcast", *needed_by}] == []
    installed = {name: {_name(each) for each in metadata.requires(name) or [] if ";" not in each} for name in needed_by}
    assert set().union(direct, *installed.values()) == needed_by.keys()


def _name(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower().replace("_", "-")
