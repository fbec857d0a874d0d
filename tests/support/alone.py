"""A piece of a test in a process of its own: what other tests have left in this one is not measured with it."""

import os
import subprocess
import sys

from tests.support.time_limits import PATIENCE


def alone(program: str, *arguments: str) -> str:
    """Run a Python program with this process's modules at hand; returns what it printed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, check=False, timeout=PATIENCE, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
