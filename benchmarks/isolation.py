"""What one destination that hangs or fails costs the others, with the real function in processes of its own.

Two thousand events of 200 flags for each of five destinations, of which four answer in 50 ms and the fifth does what
the row says; its timeout is 2 s. ``python -m benchmarks.isolation`` takes half an hour and
writes benchmarks/results/isolation.json; ``--quick`` takes half of that, most of it to start functions, with a tenth of
the events, and writes nothing.
"""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs
from rich.console import Console
from rich.table import Table

from benchmarks.fleet import Case, Measured, measure
from benchmarks.measuring import spread
from benchmarks.recovery import ROUNDS, Recovered, recoveries

RESULTS = Path(__file__).parent / "results" / "isolation.json"
TIMEOUT = 2.0
SLOWEST, RATE = 1.2, 0.9
"""Wanted: the last healthy delivery within 1.2 of the run without the fifth and two timeouts; 0.9 of its rate."""

# Runs that are held against each other stand together, first the one without the fifth destination.
GROUPS = [
    [Case(8, 2000, 200, "absent"), Case(8, 2000, 200, "hangs")],
    [Case(20, 2000, 200, "absent"), Case(20, 2000, 200, "hangs")],
    [Case(2, 500, 50, "absent"), Case(2, 500, 50, "hangs")],
    [Case(8, 500, 50, "absent"), Case(8, 500, 50, "hangs"), Case(8, 500, 50, "hangs", breaker=False)],
    [Case(8, 200, 200, "absent"), Case(8, 200, 200, "well"), Case(8, 200, 200, "hangs"), Case(8, 200, 200, "fails")],
]
PUBLISHED = {
    "Hookdeck Outpost, 200 events x 5, two cores": {"well_s": 5.5, "hangs_s": 101},
    "Flipt 1.61.0 by itself, 200 events x 5, the fifth answers 500": {"delivered_in_240_s": 8},
}


def main() -> None:
    console = Console()
    quick = "--quick" in sys.argv[1:]
    groups = [[_smaller(case) if quick else case for case in group] for group in GROUPS]
    measured = [[_told(console, case) for case in group] for group in groups]
    recovered = recoveries(0.1, 1) if quick else recoveries(1, ROUNDS)
    console.print(isolation_table(measured), recovery_table(recovered))
    for name, figures in PUBLISHED.items():
        console.print(f"Beside it: {name}: {figures}")
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        document = {"machine": machine(), "runs": measured, "recovery": recovered, "published": PUBLISHED}
        RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def _smaller(case: Case) -> Case:
    return structs.replace(case, events=case.events // 10, subjects=max(case.subjects // 10, 1))


def _told(console: Console, case: Case) -> Measured:
    console.print(f"{case.functions} functions, {case.events} events, the fifth {case.fifth} ...", style="dim")
    return measure(case)


def isolation_table(groups: list[list[Measured]]) -> Table:
    table = Table(title="Deliveries to the destinations that are well", title_justify="left")
    headings = (
        "K",
        "events",
        "fifth",
        "breaker",
        "last, s",
        "limit, s",
        "per s",
        "once open, per s",
        "of it",
        "cpu, ms",
    )
    for heading in (*headings, "cores busy", "fifth well again, s"):
        table.add_column(heading, justify="right")
    for alone, *others in groups:
        for each in (alone, *others):
            limit = alone.last_healthy_s * SLOWEST + 2 * TIMEOUT if each.case.fifth in ("hangs", "fails") else None
            ratio = each.rate_once_open / alone.rate if each.rate_once_open else None
            case = each.case
            table.add_row(
                str(case.functions), f"{case.events} of {case.subjects}", case.fifth, "on" if case.breaker else "off",
                _judged(each.last_healthy_s, limit is None or each.last_healthy_s <= limit),
                _number(limit), f"{each.rate:.0f}", _number(each.rate_once_open),
                "" if ratio is None else _judged(ratio, ratio >= RATE, 2),
                f"{each.processor_ms:.2f}", f"{each.busy:.2f}", _number(each.fifth_well_again_s),
            )  # fmt: skip
        table.add_section()
    return table


def recovery_table(rows: list[Recovered]) -> Table:
    table = Table(title="Tasks that come back, in groups of so many", title_justify="left")
    for heading in ("K", "tasks", "in groups of", "come back", "per s", "cpu, ms"):
        table.add_column(heading, justify="left" if heading == "come back" else "right")
    for each in rows:
        numbers = (str(each.functions), str(each.tasks), str(each.of_a_group))
        table.add_row(*numbers, each.kind, spread(each.rate), spread(each.processor_ms))
    return table


def _judged(value: float, good: bool, digits: int = 1) -> str:
    return f"{'✓' if good else '✗'} {value:.{digits}f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def machine() -> dict[str, Any]:
    names = ("botocore", "urllib3", "aws-lambda-powertools", "ministack")
    return {
        "date": str(datetime.now(UTC).date()),
        "python": platform.python_version(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        **{name: version(name) for name in names},
    }


if __name__ == "__main__":
    main()
