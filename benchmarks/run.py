"""`make bench`: measures everything, shows it, and keeps it in results/bench.json and in the documents."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks import cold, deliver, documents, ingest, plot, results_file, sizes
from benchmarks.measuring import Row, spread, take_one_processor
from benchmarks.sizes import Size

WIDTH = 100


def main() -> None:
    console = Console(width=WIDTH)
    take_one_processor()
    rows: list[Row] = []
    for name, part in {"ingest": ingest, "cold starts": cold, "deliver": deliver}.items():
        console.print(f"measuring {name}")
        rows += part.measured()
    console.print("measuring memory sizes")
    took = sizes.measured()
    result = results_file.write(rows, took)
    plot.draw(result)
    documents.write_all()
    console.print(comparison(rows))
    console.print(by_size(took) if took else "No share of a processor can be had here: memory sizes are not measured.")
    console.print(f"{result.date}, {result.machine}, Python {result.versions['python']}")


def comparison(rows: Sequence[Row]) -> Table:
    """Show every comparison; least and most over the rounds in brackets."""
    table = Table(title="Flagcast beside what it is measured against", title_justify="left")
    for heading in ("what", "Flagcast", "beside", "ratio", "limit"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in rows:
        ratio = f"{row.ratio.median:.2f} ({row.ratio.low:.2f}-{row.ratio.high:.2f})"
        name = f"{row.name}\n[dim]{row.unit}; {row.beside}[/]"
        table.add_row(name, spread(row.ours), spread(row.theirs), ratio, verdict(row))
    return table


def by_size(took: Sequence[Size]) -> Table:
    """Show how long the functions take at each memory size."""
    table = Table(title="Milliseconds by memory size", title_justify="left")
    for heading in ("MB", "ingest cold", "from sources", "warm", "deliver cold", "1 task", "10 tasks"):
        table.add_column(heading, justify="right")
    for size in took:
        cells = (size.ingest_cold, size.ingest_cold_sources, size.ingest_warm, size.deliver_cold)
        table.add_row(str(size.memory), *(f"{each:,.1f}" for each in (*cells, size.deliver_one, size.deliver_ten)))
    return table


def verdict(row: Row) -> str:
    """Say whether a ratio keeps its limit."""
    if row.limit is None:
        return ""
    return f"{'✓' if row.holds else '✗'} {'≥' if row.at_least else '≤'} {row.limit}"


if __name__ == "__main__":
    main()
