"""The `flagcast` command as a user's shell runs it."""

import os
import subprocess
import sys
from pathlib import Path

from flagcast_cli.checkout import ROOT
from tests.support.time_limits import PATIENCE

LONGEST = PATIENCE * 5
"""Seconds for a command that may build and deploy."""
FLAGCAST = str(Path(sys.executable).parent / "flagcast")


def flagcast(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, from the root of the checkout."""
    return subprocess.run(
        [FLAGCAST, *arguments],
        capture_output=True, text=True, check=False, timeout=LONGEST, cwd=ROOT,
        env={**os.environ, "COLUMNS": "120", **environment},
    )  # fmt: skip
