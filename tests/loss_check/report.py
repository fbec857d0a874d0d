"""What a run comes to: a table for people, and the numbers for a file."""

from collections.abc import Iterator
from typing import Any

from tests.loss_check import setup, target
from tests.loss_check.answers import COMMON, KILLS, SLOW
from tests.loss_check.calls import CALLS
from tests.loss_check.run import Result
from tests.loss_check.verdict import Verdict

REFUSED = "connection refused"
OTHERS = (
    REFUSED,
    "wrong certificate",
    "event source: the function's answer is lost",
    "client: the answer is lost",
    "client: never sent again",
)
ENOUGH = 20


def kinds() -> Iterator[str]:
    """Name every kind of fault that there is."""
    yield from (*COMMON, *KILLS, *SLOW, *OTHERS)
    yield from (f"{where}: {kind}" for where in ("target", "archive") for kind in target.KINDS)
    for call, faults in CALLS.items():
        yield from (f"{call}: {fault}" for fault in faults)


def count_refused(result: Result) -> None:
    """Count the connections that no one took: the functions' own lines alone know of them."""
    result.strikes.counts[REFUSED] = sum('"cause":"connection"' in line for line in result.log.splitlines())


def numbers(result: Result, verdict: Verdict) -> dict[str, Any]:
    """Return what goes into benchmarks/results/accountant.json."""
    struck = {kind: result.strikes.counts[kind] for kind in kinds()}
    killed = sum(each.killed_by is not None for each in result.ledger.invocations)
    return {
        "seed": result.plan.seed,
        "events": result.plan.events,
        "destinations": len(setup.FIRST),
        "accepted": verdict.counts["accepted"],
        "requests": verdict.counts["requests"],
        "delivered": verdict.counts["delivered"],
        "archived": verdict.counts["archived"],
        "order_compared": verdict.counts["order compared"],
        "replayed": verdict.counts["replayed"],
        "invocations_of_deliver": len(result.ledger.invocations),
        "of_them_killed": killed,
        "redriven": result.strikes.counts["redriven"],
        "dead_letters": dict(sorted(verdict.dead_letters.items())),
        "duplicates": dict(sorted(verdict.duplicates.items())),
        "faults": struck,
        "violations": len(verdict.violations),
        "simulated_seconds": round(result.simulated),
        "real_seconds": round(result.real),
    }


def table(told: dict[str, Any]) -> str:
    """Write the numbers as they stand in docs/guarantees.md."""
    rows = [
        ("events sent, by seed", f"{told['events']:,}, {told['seed']}"),
        ("accepted (200)", f"{told['accepted']:,}"),
        ("tasks delivered", f"{told['delivered']:,}"),
        ("objects in the archive, each with one version", f"{told['archived']:,}"),
        ("requests that destinations saw", f"{told['requests']:,}"),
        ("neighbours in one line whose order was compared", f"{told['order_compared']:,}"),
        ("events replayed to a destination that was added", f"{told['replayed']:,}"),
        ("invocations of deliver, killed", f"{told['invocations_of_deliver']:,}, {told['of_them_killed']:,}"),
        ("kinds of faults, strikes", f"{len(told['faults'])}, {sum(told['faults'].values()):,}"),
        *((f"dead letters: {reason}", f"{count:,}") for reason, count in told["dead_letters"].items()),
        *((f"delivered twice: {why}", f"{count:,}") for why, count in told["duplicates"].items()),
        ("lost, reordered, leaked, untrue, unexplained", f"{told['violations']:,}"),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    lines += ["", "| fault | strikes |", "|---|---|"]
    return "\n".join([*lines, *(f"| {kind} | {count:,} |" for kind, count in told["faults"].items())])
