"""What an event and each kind of attempt use: log lines, AWS calls and metrics, as count_usage.py counted."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

FILE = Path(__file__).parent / "results" / "usage.json"

Call = tuple[str, dict[str, Any]]
"""An action of AWS, and its request."""
Run = tuple[str, list[Call]]
"""What an invocation wrote, and what it asked AWS."""


class Series(Struct, frozen=True, order=True):
    """One custom metric, as CloudWatch counts them: a name with one set of dimensions."""

    name: str
    dimensions: tuple[tuple[str, str], ...]


class Step(Struct, frozen=True):
    """What one invocation uses, on average, beyond what Lambda does by itself."""

    log_bytes: float
    calls: dict[str, float]
    read_units: float
    write_units: float
    series: list[Series]


class Usage(Struct, frozen=True):
    """What was counted; `refused` is an attempt that is answered 500, `again` the delivery that follows it.

    `row_bytes` is what a retry's row takes in the table, `known_row_bytes` that of a thing that Flipt has.
    """

    date: str
    events: int
    ingest: Step
    delivered: Step
    refused: Step
    again: Step
    access_log_bytes: float
    lambda_bytes: int
    row_bytes: float
    known_row_bytes: float


def read() -> Usage:
    """Return what was counted last."""
    return msgspec.json.decode(FILE.read_bytes(), type=Usage)


def step(runs: Sequence[Run]) -> Step:
    """Sum up the invocations of one kind."""
    calls = [call for _, made in runs for call in made]
    counted: dict[str, float] = {}
    for action, _ in calls:
        counted[action] = counted.get(action, 0) + 1 / len(runs)
    return Step(
        log_bytes=mean([len(lines.encode()) for lines, _ in runs]),
        calls={action: round(count, 3) for action, count in sorted(counted.items())},
        read_units=round(sum(_read_units(*each) for each in calls) / len(runs), 3),
        write_units=round(sum(_write_units(*each) for each in calls) / len(runs), 3),
        series=sorted({each for lines, _ in runs for each in _series(lines)}),
    )


def _read_units(action: str, request: Mapping[str, Any]) -> float:
    """Return what a call reads: half a unit for a row of up to 4 KB, twice that where it asks for consistency.

    https://aws.amazon.com/dynamodb/pricing/on-demand/; a row that is not there costs as much.
    """
    match action:
        case "GetItem":
            return 1 if request.get("ConsistentRead") else 0.5
        case "BatchGetItem":
            (table,) = request["RequestItems"].values()
            return len(table["Keys"]) * (1 if table.get("ConsistentRead") else 0.5)
    return 0


def _write_units(action: str, request: Mapping[str, Any]) -> float:
    """Return what a call writes: a unit for each KB of a row, rounded up, whether its condition holds or not.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    match action:
        case "PutItem":
            return _units(request["Item"])
        case "UpdateItem":
            return 1
        case "BatchWriteItem":
            (changes,) = request["RequestItems"].values()
            return sum(_units(each["PutRequest"]["Item"]) for each in changes)
    return 0


def _units(item: Mapping[str, Any]) -> int:
    return math.ceil(_item_bytes(item) / 1024)


def _series(lines: str) -> Iterator[Series]:
    for line in map(json.loads, lines.splitlines()):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    yield Series(metric["Name"], tuple((name, line[name]) for name in names))


def kept_bytes(item: Mapping[str, Any]) -> int:
    """Return about how much of the table a row takes: what is in it, and 100 bytes of DynamoDB's own."""
    return 100 + _item_bytes(item)


def _item_bytes(item: Mapping[str, Any]) -> int:
    """Return about how large a row is: names and values as text, a number's digits as a byte each.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name) + len(next(iter(value.values())).encode()) for name, value in item.items())


def mean(values: Sequence[float]) -> float:
    """Return the mean, to one digit after the point."""
    return round(sum(values) / len(values), 1)
