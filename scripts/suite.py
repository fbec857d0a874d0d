"""Run the parts of the suite side by side: some compute, others mostly wait.

``python -m scripts.suite test|test-long|check [arguments of pytest]``, as the Makefile does.

A part that fails stops no other. The first is seen at work; what the others said follows when they end. The end names
each part, what it took, the slowest tests, and the command that runs again what failed. Arguments of pytest replace the
parts: they run in one process.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from shlex import join
from xml.etree import ElementTree

from msgspec import Struct
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
SLOWEST = 10
WAITING = "4"
"""Workers for tests that mostly wait: for a deadline, a process, the local stack. Two cores bear twice as many."""


class Part(Struct, frozen=True):
    """One command of the suite, from the root of the checkout."""

    name: str
    command: tuple[str, ...]

    @property
    def is_pytest(self) -> bool:
        """Return whether its tests can be timed."""
        return self.command[0] == "pytest"


class Ended(Struct, frozen=True):
    """What became of a part; `tests` are seconds by name."""

    part: Part
    seconds: float
    passed: bool
    tests: dict[str, float] = {}


SHARED = ("--numprocesses", WAITING)
UNIT = ("pytest", "tests/unit", "--numprocesses", "auto")
LINT = Part("lint", ("make", "lint"))
SUITES: dict[str, tuple[Part, ...]] = {
    "test": (
        Part("unit", UNIT),
        Part("integration, end to end", ("pytest", "--ignore=tests/unit", *SHARED)),
    ),
    "test-long": (
        Part("long", ("pytest", "-m", "long", *SHARED)),
        # The unit tests alone cover what is pure. Being traced costs them two to three times their time.
        Part("coverage", (*UNIT, "--cov", "--cov-report=term-missing:skip-covered")),
    ),
    "check": (LINT, Part("unit", UNIT)),
}


def parts(suite: str, arguments: Sequence[str]) -> tuple[Part, ...]:
    """Return what a suite runs; arguments of pytest narrow it to one part."""
    if not arguments:
        return SUITES[suite]
    marked = ("-m", "long") if suite == "test-long" else ()
    return (Part("as asked", ("pytest", *marked, *arguments)),)


def timed(report: str) -> dict[str, float]:
    """Read the seconds of each test, set up and torn down, from what pytest writes as JUnit's XML."""
    cases = ElementTree.fromstring(report).iter("testcase")  # noqa: S314 - pytest wrote it
    return {f"{case.attrib['classname']}::{case.attrib['name']}": float(case.attrib["time"]) for case in cases}


def slowest(ended: Sequence[Ended]) -> list[tuple[str, float]]:
    """Return the tests that took longest, the slowest first."""
    every = [test for each in ended for test in each.tests.items()]
    return sorted(every, key=lambda test: -test[1])[:SLOWEST]


def run(suite: Sequence[Part], folder: Path) -> Iterator[Ended]:
    """Run every part beside the others, whatever becomes of them; yields them in their order."""
    with ThreadPoolExecutor(len(suite)) as threads:
        started = [threads.submit(_run, part, folder / str(number)) for number, part in enumerate(suite)]
        for number, each in enumerate(started):
            ended = each.result()
            said = (folder / str(number)).with_suffix(".txt")
            if said.exists():
                sys.stdout.write(f"\n{ended.part.name}:\n{said.read_text(encoding='utf-8', errors='replace')}")
                sys.stdout.flush()
            yield ended


def _run(part: Part, place: Path) -> Ended:
    report, said = place.with_suffix(".xml"), place.with_suffix(".txt")
    more = (f"--junitxml={report}",) if part.is_pytest else ()
    began = time.monotonic()
    with ExitStack() as files:
        out = None if place.name == "0" else files.enter_context(said.open("wb"))
        command = (*part.command, *more)
        code = subprocess.run(command, cwd=ROOT, check=False, stdout=out, stderr=out).returncode  # noqa: S603 - our own
    tests = timed(report.read_text(encoding="utf-8")) if report.exists() else {}
    return Ended(part, time.monotonic() - began, code == 0, tests)


def tell(ended: Sequence[Ended], out: Console) -> None:
    """Print what became of each part, the slowest tests, and how to run again what failed."""
    out.print()
    for seconds, name in ((seconds, name) for name, seconds in slowest(ended)):
        out.print(f"{seconds:7.1f} s  {name}", style="dim", markup=False, soft_wrap=True, highlight=False)
    table = Table("part", "took", "result")
    for each in ended:
        table.add_row(each.part.name, f"{each.seconds:.0f} s", "[green]✓ passed" if each.passed else "[red]✗ failed")
    out.print(table)
    for each in ended:
        if not each.passed:
            out.print(f"{each.part.name} failed. Run it alone: {_again(each.part)}", style="red", markup=False)


def _again(part: Part) -> str:
    words = join(part.command)
    return f". .venv/bin/activate && {words}" if part.is_pytest else words


def main(suite: str, *arguments: str) -> int:
    """Run a suite; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        ended = list(run(parts(suite, arguments), Path(folder)))
    tell(ended, Console(soft_wrap=True))
    return 0 if all(each.passed for each in ended) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
