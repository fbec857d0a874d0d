"""What the benchmarks share: figures with their spread, the stack's environment, the receiver."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from flagcast_cli.deploy.precompile import write_as_json

ROOT = Path(__file__).resolve().parents[1]


def take_one_processor() -> None:
    """Keep what is measured, and what it starts, on one processor: a function has less below 1,769 MB.

    Threads that hand the interpreter's lock from one processor to the other cost more, and another sum each time.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def take_the_others() -> None:
    """Keep the other side of what is measured out of its way."""
    if hasattr(os, "sched_setaffinity") and (others := set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0)):
        os.sched_setaffinity(0, others)


class Figure(Struct, frozen=True):
    """One figure over the rounds: their median, least and most."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> "Figure":
        """Sum up the rounds."""
        return cls(*(float(f"{each:.4g}") for each in (statistics.median(rounds), min(rounds), max(rounds))))


def spread(figure: Figure) -> str:
    """Write a figure for people: its median, and least to most in brackets."""
    median, low, high = (
        f"{each:.0f}" if each >= 100 else f"{each:.3g}" for each in (figure.median, figure.low, figure.high)
    )
    return f"{median} ({low}-{high})"


class Row(Struct, frozen=True, kw_only=True):
    """Flagcast beside what it is measured against, round by round in turns; `limit` bounds the median of the ratios."""

    name: str
    unit: str
    ours: Figure
    theirs: Figure
    beside: str
    ratio: Figure
    limit: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Return whether the ratio keeps its limit."""
        if self.limit is None:
            return True
        return self.ratio.median >= self.limit if self.at_least else self.ratio.median <= self.limit


def compared(
    name: str,
    unit: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    beside: str,
    limit: float | None = None,
    *,
    at_least: bool = False,
) -> Row:
    """Make a row of rounds that were measured in pairs."""
    ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
    figures = {"ours": Figure.of(ours), "theirs": Figure.of(theirs), "ratio": Figure.of(ratios)}
    return Row(name=name, unit=unit, beside=beside, limit=limit, at_least=at_least, **figures)


def in_turns(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Take every measure once a round, in an order that turns, after one round that does not count."""
    taken: list[list[float]] = [[] for _ in measures]
    for at in range(-1, rounds):
        for each in sorted(range(len(measures)), key=lambda which: (which + at) % len(measures)):
            value = measures[each]()
            if at >= 0:
                taken[each].append(value)
    return taken


def stack_environment(
    folder: Path, endpoint: str, configuration: Mapping[str, Any], *, built: bool = False
) -> dict[str, str]:
    """Return what template.yaml sets, for a stack whose AWS is the stub.

    The configuration is YAML, as an operator writes it, or with `built` what `make deploy` makes of that.
    """
    file = folder / "flagcast.yaml"
    file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    if built:
        write_as_json(file)
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "FLAGCAST_CONFIG": str(file),
        "FLAGCAST_QUEUE_URL": f"{endpoint}/123456789012/tasks.fifo",
        "FLAGCAST_DEAD_LETTER_QUEUE_URL": f"{endpoint}/123456789012/dead.fifo",
        "FLAGCAST_SECRET_PREFIX": "",
        "FLAGCAST_PARAMETER_PREFIX": "",
        "FLAGCAST_BODIES_BUCKET": "bodies",
        "FLAGCAST_ARCHIVE_BUCKET": "arn:aws:s3:::archive",
        "FLAGCAST_ARCHIVE": "off",
        "FLAGCAST_STATE_TABLE": "state",
        "FLAGCAST_CIRCUIT_BREAKER": "on",
        "FLAGCAST_TRACK_CHANGES": "on",
        "FLAGCAST_LOG_NAMES": "on",
    }


def handlers() -> None:
    """Make the functions importable here."""
    for name in ("ingest", "deliver"):
        if (path := str(ROOT / "functions" / name)) not in sys.path:
            sys.path.insert(0, path)


@contextmanager
def receiver(milliseconds: int) -> Iterator[str]:
    """Run a destination that answers 200 after so many milliseconds, as a process of its own; yields its address."""
    command = [sys.executable, "-m", "benchmarks.receiver", str(milliseconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()
