"""The figures in docs/cost.md are what the handlers use today."""

import os
import subprocess
import sys

import msgspec
import pytest
from benchmarks import usage
from benchmarks.measuring import ROOT

from tests.integration.conftest import DEADLINES
from tests.support.time_limits import PATIENCE

COUNT = f"""
import pkgutil, sys
import msgspec
from benchmarks.measuring import handlers
from benchmarks.count_usage import measured

handlers()
for name in {DEADLINES}:
    module, _, constant = name.rpartition(".")
    setattr(pkgutil.resolve_name(module), constant, {PATIENCE})
sys.stdout.buffer.write(msgspec.json.encode(measured()))
"""
STEPS = ("ingest", "delivered", "refused", "again")


@pytest.mark.long
def test_events_and_attempts_use_what_the_page_on_cost_says() -> None:
    # A process of its own: what is counted has an environment, handlers and clients of its own.
    command = [sys.executable, "-c", COUNT]
    ran = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, timeout=PATIENCE, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    now, stored = msgspec.json.decode(ran.stdout, type=usage.Usage), usage.read()
    for name in STEPS:
        counted, kept = getattr(now, name), getattr(stored, name)
        again = "python -m benchmarks.count_usage and python -m benchmarks.documents write it again"
        assert (counted.calls, counted.series) == (kept.calls, kept.series), f"{name}: {again}"
        assert (counted.read_units, counted.write_units) == (kept.read_units, kept.write_units), f"{name}: {again}"
        # Durations have more digits on a busy machine.
        assert counted.log_bytes == pytest.approx(kept.log_bytes, rel=0.03), f"{name}: {again}"
    assert (now.access_log_bytes, now.lambda_bytes) == (stored.access_log_bytes, stored.lambda_bytes)
    assert now.row_bytes == pytest.approx(stored.row_bytes, rel=0.03)
    assert now.known_row_bytes == pytest.approx(stored.known_row_bytes, rel=0.03)
