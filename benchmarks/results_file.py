"""benchmarks/results/bench.json: what the last run measured."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.measuring import Row
from benchmarks.sizes import Size

FILE = Path(__file__).parent / "results" / "bench.json"
LIBRARIES = ("boto3", "botocore", "msgspec", "urllib3", "jinja2", "aws-lambda-powertools", "pydantic", "requests")


class Result(Struct, frozen=True):
    """One run; `sizes` is empty where the machine could not give a process a share of a processor."""

    date: str
    machine: str
    versions: dict[str, str]
    rows: list[Row]
    sizes: list[Size]

    def at(self, memory: int) -> Size:
        """Return what was measured at a memory size (MB)."""
        return next(size for size in self.sizes if size.memory == memory)


def write(rows: Sequence[Row], sizes: Sequence[Size]) -> Result:
    """Write a run's results, and return them."""
    versions = {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}}
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"
    result = Result(datetime.now(UTC).date().isoformat(), machine, versions, list(rows), list(sizes))
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    return result


def read() -> Result:
    """Return the last run's results."""
    return msgspec.json.decode(FILE.read_bytes(), type=Result)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'} ({platform.machine()})"
