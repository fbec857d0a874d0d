"""The section of docs/performance.md about isolation, of what benchmarks/isolation.py measured."""

from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.fleet import Measured
from benchmarks.isolation import RATE, RESULTS, SLOWEST, TIMEOUT
from benchmarks.measuring import spread
from benchmarks.recovery import Recovered

Groups = list[list[Measured]]


def sections() -> dict[str, str]:
    """Return the computed sections."""
    found = msgspec.json.decode(RESULTS.read_bytes())
    groups = msgspec.convert(found["runs"], Groups)
    recovered = msgspec.convert(found["recovery"], list[Recovered])
    return {"isolation": "\n".join(_isolation(found["machine"], groups)), "recovery": "\n".join(_recovery(recovered))}


def _isolation(machine: dict[str, Any], groups: Groups) -> Iterator[str]:
    yield f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, Python {machine['python']}."
    yield ""
    headings = ("functions", "events, flags", "the fifth destination", "last healthy delivery, s", "limit, s")
    rates = ("deliveries/s", "once its circuit is open", "ratio to the run without it")
    yield f"| {' | '.join(headings + rates)} |"
    yield "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    for alone, *others in groups:
        for each in (alone, *others):
            case = each.case
            fifth = case.fifth if case.breaker else f"{case.fifth}, no circuits"
            seconds = each.fifth_well_again_s
            again = f"; its events delivered {seconds:.0f} s after it recovers" if seconds else ""
            limit = f"{alone.last_healthy_s * SLOWEST + 2 * TIMEOUT:.1f}" if case.fifth in ("hangs", "fails") else ""
            rate = each.rate_once_open
            once, ratio = (f"{rate:.0f}", f"{rate / alone.rate:.2f}") if rate else ("", "")
            yield (
                f"| {case.functions} | {case.events}, {case.subjects} | {fifth}{again} | {each.last_healthy_s:.1f} "
                f"| {limit} | {each.rate:.0f} | {once} | {ratio} |"
            )
    yield ""
    yield (
        "The target, for 8 functions and 2,000 events: the last healthy delivery comes within the limit, at "
        f"{RATE} or more of the rate of the run without the fifth destination."
    )


def _recovery(rows: list[Recovered]) -> Iterator[str]:
    yield "| functions | tasks, in groups of | what happened to them before | deliveries/s | CPU ms each |"
    yield "| ---: | ---: | --- | ---: | ---: |"
    for row in rows:
        figures = f"{spread(row.rate)} | {spread(row.processor_ms)}"
        yield f"| {row.functions} | {row.tasks}, {row.of_a_group} | {row.kind} | {figures} |"
