"""CloudWatch Metrics Insights: the grammar of its queries, and the words that must be quoted in them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.template import Template
from tests.unit.template.alarms import alarms, expression

RESERVED = frozenset((Path(__file__).parent / "reserved-keywords.txt").read_text().split())
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-reserved-keywords.html"""

_NAME = r'(?:"[^"]+"|[A-Za-z_]\w*)'
_NAMES = rf"{_NAME}(?:\s*,\s*{_NAME})*"
_CONDITION = rf"{_NAME}\s*(?:=|!=)\s*'[^']*'"
_FUNCTION = r"(?:AVG|COUNT|MAX|MIN|SUM)"
_QUERY = re.compile(
    rf"""SELECT\s+{_FUNCTION}\(\s*(?P<metric>{_NAME})\s*\)
    \s+FROM\s+(?:(?P<whole>{_NAME})|SCHEMA\(\s*(?P<namespace>{_NAME})(?P<dimensions>(?:\s*,\s*{_NAME})*)\s*\))
    (?:\s+WHERE\s+(?P<where>{_CONDITION}(?:\s+AND\s+{_CONDITION})*))?
    (?:\s+GROUP\s+BY\s+(?P<group>{_NAMES}))?
    (?:\s+ORDER\s+BY\s+{_FUNCTION}\(\)(?:\s+(?:ASC|DESC))?)?
    (?:\s+LIMIT\s+\d+)?""",
    re.VERBOSE | re.IGNORECASE,
)


def faults(query: str) -> Iterator[str]:
    """Yield what CloudWatch would not accept in a query, and label keys that are not quoted, reserved or not."""
    found = _QUERY.fullmatch(query.strip())
    if found is None:
        yield "is no query by the grammar"
        return
    keys = [*_names(found["dimensions"]), *_names(_without_values(found["where"])), *_names(found["group"])]
    yield from (f"label key {key} is not quoted" for key in keys if not key.startswith('"'))
    others = [found["metric"], found["whole"] or found["namespace"]]
    yield from (f"{name} is a reserved word" for name in others if name.upper() in RESERVED)


def _names(part: str | None) -> list[str]:
    return [each for each in re.findall(_NAME, part or "") if each.upper() != "AND"]


def _without_values(part: str | None) -> str:
    return re.sub(r"'[^']*'", "", part or "")


def queries_by_the_grammar(template: Template) -> list[str]:
    said = {name: expression(alarm) for name, alarm in alarms(template).items()}
    return [f"{name}: {each}" for name, query in said.items() if "SELECT" in query for each in faults(query)]
