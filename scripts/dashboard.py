"""A CloudWatch dashboard's widgets as values, and what their lines show of samples, as CloudWatch computes it.

Of its language it knows what template.yaml uses: metrics, and SEARCH for all metrics of a schema.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

_SEARCH = re.compile(
    r"(?P<sum>SUM\()?SEARCH\('\{\"(?P<namespace>[\w/-]+)\",(?P<schema>[\w,]+)\} "
    r"MetricName=\"(?P<metric>\w+)\"(?P<terms>( \w+=\"\w+\")*)', '(?P<stat>\w+)', \d+\)(?(sum)\))"
)
_TERM = re.compile(r"(\w+)=\"(\w+)\"")


class Sample(Struct, frozen=True):
    """One value of a metric; `at` in epoch seconds."""

    at: float
    namespace: str
    metric: str
    dimensions: dict[str, str]
    value: float


class Line(Struct, frozen=True):
    """A metric, or all metrics that have the `free` dimensions besides: a line each, or one that is their sum."""

    namespace: str
    metric: str
    dimensions: dict[str, str]
    stat: str
    label: str
    free: tuple[str, ...] = ()
    summed: bool = False
    right: bool = False


class Widget(Struct, frozen=True):
    """A graph; its place and size are in a grid that is 24 wide. `limits` are those of the left axis."""

    title: str
    x: int
    y: int
    width: int
    height: int
    lines: tuple[Line, ...]
    limits: tuple[float | None, float | None]


def widgets(body: str) -> list[Widget]:
    """Read a dashboard's body; raises ValueError where it is no JSON, or has what is not known here."""
    return [_widget(each) for each in json.loads(body)["widgets"]]


def _widget(said: dict[str, Any]) -> Widget:
    try:
        graph = said["properties"]
        left = graph.get("yAxis", {}).get("left", {})
        lines = tuple(_line(each) for each in graph["metrics"])
        place = (said["x"], said["y"], said["width"], said["height"])
        return Widget(graph["title"], *place, lines, (left.get("min"), left.get("max")))
    except KeyError as error:
        raise ValueError(f"a widget without {error}") from error


def _line(said: list[Any]) -> Line:
    options = said[-1]
    right = options.get("yAxis") == "right"
    if "expression" not in options:
        namespace, metric, *pairs = said[:-1]
        dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
        return Line(namespace, metric, dimensions, options["stat"], options["label"], right=right)
    match = _SEARCH.fullmatch(options["expression"])
    if match is None:
        raise ValueError(f"this expression is not known: {options['expression']}")
    names = match["schema"].split(",")
    fixed = dict(_TERM.findall(match["terms"]))
    if not fixed.keys() <= set(names):
        raise ValueError(f"this search asks for what is not in its schema: {options['expression']}")
    return Line(
        match["namespace"], match["metric"], fixed, match["stat"], options["label"],
        tuple(name for name in names if name not in fixed), summed=bool(match["sum"]), right=right,
    )  # fmt: skip


def samples_of(line: dict[str, Any]) -> Iterator[Sample]:
    """Take the samples out of a log line of the embedded metric format; a line without it has none."""
    told = line.get("_aws", {})
    for directive in told.get("CloudWatchMetrics", ()):
        for names in directive["Dimensions"]:
            dimensions = {name: str(line[name]) for name in names}
            for metric in directive["Metrics"]:
                value = float(line[metric["Name"]])
                yield Sample(told["Timestamp"] / 1000, directive["Namespace"], metric["Name"], dimensions, value)


def series(line: Line, samples: Sequence[Sample], period: float) -> dict[str, dict[float, float]]:
    """Compute what a line shows: by label, a value for each period (by its begin, epoch seconds) that has samples."""
    names = {*line.dimensions, *line.free}
    found: dict[tuple[str, ...], dict[float, list[float]]] = {}
    for each in samples:
        if (each.namespace, each.metric) != (line.namespace, line.metric) or each.dimensions.keys() != names:
            continue
        if line.dimensions.items() <= each.dimensions.items():
            group = found.setdefault(tuple(each.dimensions[name] for name in line.free), {})
            group.setdefault(each.at // period * period, []).append(each.value)
    computed = {
        key: {at: statistic(line.stat, values) for at, values in sorted(group.items())} for key, group in found.items()
    }
    if line.summed:
        times = sorted({at for group in computed.values() for at in group})
        return {line.label: {at: sum(group.get(at, 0) for group in computed.values()) for at in times}} if times else {}
    return {_label(line, key): group for key, group in sorted(computed.items())}


def _label(line: Line, key: tuple[str, ...]) -> str:
    label = line.label
    for name, value in zip(line.free, key, strict=True):
        label = label.replace(f"${{PROP('Dim.{name}')}}", value)
    return label


def statistic(stat: str, values: Sequence[float]) -> float:
    """Compute one of CloudWatch's statistics; a percentile is the least value that so many are not above."""
    match stat:
        case "Sum":
            return sum(values)
        case "Average":
            return sum(values) / len(values)
        case "Maximum":
            return max(values)
    percentile = re.fullmatch(r"p(\d+)", stat)
    if percentile is None:
        raise ValueError(f"this statistic is not known: {stat}")
    return sorted(values)[max(0, math.ceil(len(values) * int(percentile[1]) / 100) - 1)]
