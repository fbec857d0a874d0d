"""docs/performance.svg: every ratio beside its limit."""

from pathlib import Path

from benchmarks.results_file import Result

FILE = Path(__file__).resolve().parents[1] / "docs" / "performance.svg"


def draw(result: Result) -> None:
    """Draw the last run's ratios to a file."""
    import matplotlib as mpl

    mpl.use("svg")
    # Nothing in the file depends on when or where it was drawn, so that it changes only with what it shows.
    mpl.rcParams |= {"svg.hashsalt": "flagcast", "svg.fonttype": "none"}
    from matplotlib import pyplot

    rows = [(row, row.limit) for row in reversed(result.rows) if row.limit is not None]
    figure, axes = pyplot.subplots(figsize=(8, 0.42 * len(rows) + 1))
    for at, (row, limit) in enumerate(rows):
        share = [
            (each / limit) ** (-1 if row.at_least else 1) for each in (row.ratio.low, row.ratio.median, row.ratio.high)
        ]
        low, median, high = sorted(share)
        axes.barh(at, median, color="#2f7ed8" if row.holds else "#d8552f", height=0.55)
        axes.plot([low, high], [at, at], color="black", linewidth=1)
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(rows)), [f"{row.name}\nby {row.beside}" for row, _ in rows], fontsize=7)
    axes.set_xlabel(
        "share of the limit that is used up, least to most over the rounds (left of the line keeps it)", fontsize=7
    )
    axes.tick_params(axis="x", labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(FILE, metadata={"Date": None})
    pyplot.close(figure)
