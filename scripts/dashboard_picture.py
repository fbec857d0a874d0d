"""Draw docs/dashboard.png: the deployed dashboard's own widgets, with what a run of the local stack measured.

`python -m scripts.dashboard_picture [PORT]`, from the root: it takes three minutes. What the local stack has no
metric of says so in the picture; nothing in it is made up.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from scripts.dashboard import Sample, Widget, series, widgets
from scripts.dashboard_run import SECONDS, run

FILE = Path(__file__).resolve().parents[1] / "docs" / "dashboard.png"
PERIOD = 5
"""Seconds for one point, where CloudWatch has 60: the run is that short."""
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22", "#7f7f7f")


def draw(body: str, samples: Sequence[Sample], file: Path) -> None:
    """Draw a dashboard to a PNG file, its grid to scale."""
    mpl.use("agg")
    from matplotlib import pyplot

    graphs = widgets(body)
    high = max(each.y + each.height for each in graphs)
    figure = pyplot.figure(figsize=(18, 0.68 * high + 0.3), dpi=75, layout="constrained")
    grid = figure.add_gridspec(high, 24)
    began = min(each.at for each in samples)
    for each in graphs:
        axes = figure.add_subplot(grid[each.y : each.y + each.height, each.x : each.x + each.width])
        _graph(axes, each, samples, began)
    figure.suptitle(f"One run of {SECONDS} s on the local stack, a point for {PERIOD} s", fontsize=10)
    figure.savefig(file, metadata={"Software": None})
    pyplot.close(figure)


def _graph(axes: Axes, widget: Widget, samples: Sequence[Sample], began: float) -> None:
    axes.set_title(widget.title, fontsize=10, loc="left", fontweight="bold")
    right = axes.twinx() if any(line.right for line in widget.lines) else axes
    colors = iter(COLORS * 4)
    handles = []
    measured = set()
    for line in widget.lines:
        shown = series(line, samples, PERIOD)
        side = right if line.right else axes
        for label, points in shown.items():
            times, values = _with_gaps(points)
            since = [time - began for time in times]
            handles += side.plot(since, values, ".-", color=next(colors), label=label, linewidth=1.2, markersize=4)
            measured.add(side)
        if not shown:
            label = line.label.partition("${")[0].strip() or line.metric
            handles += side.plot([], [], color="#bbbbbb", label=f"{label}: no data")
    low, top = widget.limits
    axes.set_ylim(bottom=low, top=None if top is None else top * 1.05)
    axes.set_xlim(0, SECONDS)
    for side in {axes, right}:
        side.tick_params(labelsize=7)
        if side not in measured:
            side.set_yticks([])
    axes.grid(alpha=0.25)
    columns = 2 if any(len(str(handle.get_label())) > 18 for handle in handles) else 3
    axes.legend(
        handles=handles, fontsize=6.5, ncols=columns, loc="upper left", bbox_to_anchor=(-0.02, -0.07), frameon=False,
        labelspacing=0.2, columnspacing=1,
    )  # fmt: skip


def _with_gaps(points: dict[float, float]) -> tuple[list[float], list[float]]:
    """Break the line where a period has no sample, as CloudWatch does."""
    times: list[float] = []
    values: list[float] = []
    for at, value in points.items():
        if times and at - times[-1] > PERIOD:
            times.append(at)
            values.append(float("nan"))
        times.append(at)
        values.append(value)
    return times, values


if __name__ == "__main__":
    draw(*run(int(sys.argv[1]) if len(sys.argv) > 1 else 4599), FILE)
