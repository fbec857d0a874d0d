"""What `make build` leaves for a deploy."""

import subprocess

import pytest

from flagcast_cli.checkout import ROOT

BUILT = ROOT / ".aws-sam" / "build"
UNCHECKED = b"\x01\x00\x00\x00"
"""The flags of bytecode that is used whatever the times of files are, as a zip changes them:
https://peps.python.org/pep-0552/"""


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    subprocess.run(["make", "build"], cwd=ROOT, check=True, capture_output=True, timeout=300)


def test_whatever_is_deployed_has_bytecode_that_is_good_wherever_it_is_unpacked() -> None:
    sources = [each for each in BUILT.rglob("*.py") if "__pycache__" not in each.parts]
    assert {each.relative_to(BUILT).parts[0] for each in sources} >= {
        "DependenciesLayer", "FlagcastLayer", "IngestFunction", "DeliverFunction",
    }  # fmt: skip
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[4:8] == UNCHECKED, source
