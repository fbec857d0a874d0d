"""scripts/bootstrap on a machine where something is in its way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flagcast_cli.checkout import ROOT


@pytest.mark.long
def test_a_python_on_path_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("scripts", "layers", "cli"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, checkout / name)
    shim = tmp_path / "bin" / "python3.13"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2; exit 127\n")
    shim.chmod(0o755)
    # The interpreter that runs these tests is somewhere on the machine, but not where PATH looks first.
    paths = [path for path in os.environ["PATH"].split(os.pathsep) if Path(path) != Path(sys.executable).parent]
    environment = {**os.environ, "PATH": os.pathsep.join([str(shim.parent), *paths])}
    environment.pop("VIRTUAL_ENV", None)
    made = subprocess.run(
        [str(checkout / "scripts" / "bootstrap")], env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    python = str(checkout / ".venv" / "bin" / "python")
    assert subprocess.check_output([python, "--version"], text=True).startswith("Python 3.13.")
