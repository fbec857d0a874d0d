"""The computed sections of the documents, each between two markers. Do not edit them by hand.

`python -m benchmarks.documents` writes them from results/*.json, the template and the prices; a test compares.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import cost, isolation_document, scaling, staying
from benchmarks.markdown import table
from benchmarks.measuring import ROOT, Row, spread
from benchmarks.results_file import Result, read

DOCS = ROOT / "docs"
MEMORY = Path(__file__).parent / "results" / "memory.json"
OUTPOST = (1.1, 1.6)
"""CPU ms per delivery in Hookdeck Outpost's own process, its Redis, Postgres and RabbitMQ not counted."""


def sections() -> dict[Path, dict[str, str]]:
    """Return every computed section, by document and name."""
    result = read()
    return {
        DOCS / "performance.md": {
            "ratios": ratios(result),
            "sizes": sizes(result),
            "memory": memory(),
            **isolation_document.sections(),
        },
        DOCS / "cost.md": cost.sections(result),
        DOCS / "scaling.md": scaling.sections(result) | staying.sections(),
    }


def with_sections(text: str, made: dict[str, str]) -> str:
    """Return a document with its computed sections; each must be there once."""
    for name, section in made.items():
        start, end = f"<!-- computed: {name} -->\n", "<!-- end -->"
        before, *rest = text.split(start)
        if len(rest) != 1 or end not in rest[0]:
            raise ValueError(f"{name}: {len(rest)} sections of this name")
        text = f"{before}{start}{section}\n{end}{rest[0].partition(end)[2]}"
    return text


def write_all() -> None:
    """Write the sections into the documents."""
    for path, made in sections().items():
        path.write_text(with_sections(path.read_text(encoding="utf-8"), made), encoding="utf-8")


def ratios(result: Result) -> str:
    """Return the last run: what it ran on, and every comparison."""
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    rows = [
        (
            row.name,
            row.beside,
            f"{spread(row.ours)} {row.unit}",
            f"{spread(row.theirs)} {row.unit}",
            f"**{row.ratio.median:.2f}** ({row.ratio.low:.2f}-{row.ratio.high:.2f})",
            _limit(row),
        )
        for row in result.rows
    ]
    headings = ("what", "beside", "Flagcast", "the other", "ratio", "limit")
    ours = [row.ours.median for row in result.rows if row.unit == "ms CPU"]
    outpost = f"Hookdeck Outpost, written in Go, uses {OUTPOST[0]} to {OUTPOST[1]} ms in its own process"
    return (
        f"{result.date}, {result.machine}; {versions}.\n\n{table(headings, rows, 2)}\n\n{_missed(result.rows)}\n\n"
        f"A delivery takes {min(ours):.2f} to {max(ours):.2f} ms of processor time, rendering included; {outpost}, "
        "its Redis, Postgres and RabbitMQ not counted (measured by others on another machine)."
    )


def _missed(rows: Sequence[Row]) -> str:
    """Say how many limits are kept, and which are not, and by how much."""
    limited = [row for row in rows if row.limit is not None]
    missed = [
        f"{row.name}, beside {row.beside}: {row.ratio.median:.2f}, limit {row.limit}"
        for row in limited
        if not row.holds
    ]
    if not missed:
        return "Every limit is kept."
    kept = f"{len(limited) - len(missed)} of {len(limited)} limits are kept. Missed:\n\n"
    return kept + "\n".join(f"- {each}" for each in missed)


def sizes(result: Result) -> str:
    """Return how long the functions take at each memory size."""
    if not result.sizes:
        return "Not measured: the last machine gave no process a share of a processor."
    headings = ("MB", "ingest cold", "the same from sources", "ingest warm", "deliver cold", "1 task", "10 tasks")
    rows = [
        [f"{each:,.0f}" if each >= 10 else f"{each:.1f}" for each in msgspec.structs.astuple(size)]
        for size in result.sizes
    ]
    return table(headings, rows, 0)


def memory() -> str:
    """Return the peaks that benchmarks/memory.py read in Lambda's containers, if it ever ran."""
    if not MEMORY.exists():
        return "Not measured yet: `python -m benchmarks.memory` writes it."
    found = msgspec.json.decode(MEMORY.read_bytes())
    rows = [
        (
            case["body"],
            case["delivered"],
            *(f"{case[name][part]:.0f}" for name in ("ingest", "deliver") for part in ("process", "container")),
            "✓" if case["fits"] else "✗",
        )
        for case in found["cases"]
    ]
    given = ", ".join(f"{name} {size} MB" for name, size in found["size"].items())
    headings = ("body", "delivered", "ingest", "its container", "deliver", "its container", "fits")
    return (
        f"{found['date']}, {found['machine']}; MiB at most, {found['tasks']} bodies; the template gives {given}.\n\n"
        f"{table(headings, rows, 2)}"
    )


def _limit(row: Row) -> str:
    if row.limit is None:
        return ""
    return f"{'≥' if row.at_least else '≤'} {row.limit} {'✓' if row.holds else '✗'}"


if __name__ == "__main__":
    write_all()
