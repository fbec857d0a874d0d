"""How many metrics the template's alarms watch, as CloudWatch bills them."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec import Struct
from tests.support.template import Template, resources

from benchmarks.usage import Series


class Watched(Struct, frozen=True):
    """Metrics by how the alarm names them: `listed` in the alarm itself, `queried` by what its query finds.

    https://aws.amazon.com/cloudwatch/pricing/: an alarm costs by each metric, in a formula too; one with a query costs
    by each metric that the query analyzes, and none of those is free.
    """

    listed: int
    queried: int


def watched(template: Template, series: AbstractSet[Series]) -> Watched:
    """Count what the alarms of a template (with its conditions decided) watch while there are these series."""
    alarms = [alarm for _, alarm in resources(template, "AWS::CloudWatch::Alarm")]
    queries = [query for alarm in alarms for query in _queries(alarm)]
    return Watched(
        sum(map(_listed, alarms)),
        sum(_analyzes(query, each) for query in queries for each in series),
    )


def _listed(alarm: Mapping[str, Any]) -> int:
    if "MetricName" in alarm:
        return 1
    return sum("MetricStat" in each for each in alarm["Metrics"])


def _queries(alarm: Mapping[str, Any]) -> list[str]:
    expressions = [each["Expression"] for each in alarm.get("Metrics", []) if "Expression" in each]
    texts = [each if isinstance(each, str) else each["Fn::Sub"] for each in expressions]
    return [text for text in texts if text.startswith("SELECT ")]


def _analyzes(query: str, series: Series) -> bool:
    """Return whether a query reads a series: its metric, with exactly the dimensions that SCHEMA names."""
    found = re.fullmatch(r'SELECT \w+\("(\w+)"\) FROM SCHEMA\("[^"]+", ("[^)]+")\)( .*)?', query)
    if found is None:
        raise ValueError(f"not understood: {query}")
    dimensions = re.findall(r'"(\w+)"', found[2])
    return series.name == found[1] and sorted(name for name, _ in series.dimensions) == sorted(dimensions)
