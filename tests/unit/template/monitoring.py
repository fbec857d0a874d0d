"""Metric math, the dashboard and the access log: what CloudWatch and API Gateway document of their syntax."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.support.resolved import LONGEST_STACK, Place, resolved
from tests.support.template import Template, given, resources

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
MATH = {"ABS", "AVG", "CEIL", "FILL", "FLOOR", "IF", "MAX", "METRIC_COUNT", "MIN", "RATE", "SEARCH", "SUM"}
_MATH_ID = re.compile(r"[a-z]\w*")
_MATH_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)(?P<call>\s*\()?|\d+(?:\.\d+)?|[-+*/^(),])")
METRICS_OF_AN_ALARM = 10
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
WIDGETS, COLUMNS, ROWS, METRICS_OF_A_WIDGET = 500, 24, 1_000, 500
OF_A_METRIC_WIDGET = {
    "title",
    "view",
    "region",
    "period",
    "yAxis",
    "metrics",
    "stacked",
    "stat",
    "legend",
    "annotations",
}
VIEWS = {"timeSeries", "singleValue", "gauge", "bar", "pie"}
OF_A_METRIC = {"color", "expression", "id", "label", "period", "region", "stat", "visible", "yAxis"}
STATISTIC = re.compile(r"SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d{1,10})?")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
SEARCH = re.compile(
    rf"""SEARCH\('\{{(?:"[^"]+"|\w+)(?:,\w+)*\}}(?:\s\w+="[^"]+")+',\s'(?:{STATISTIC.pattern})',\s\d+\)""", re.VERBOSE
)
LONGEST_SEARCH = 1_024

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
OF_A_REQUEST = {
    "accountId", "apiId", "domainName", "error.message", "error.responseType", "extendedRequestId", "httpMethod",
    "identity.sourceIp", "identity.userAgent", "integration.error", "integration.status", "integrationErrorMessage",
    "integrationLatency", "integrationStatus", "path", "protocol", "requestId", "requestTime", "requestTimeEpoch",
    "responseLatency", "responseLength", "routeKey", "stage", "status",
}  # fmt: skip


def metric_math(template: Template) -> list[str]:
    made = resolved(template, given(template), Place())
    found = [(name, each["Metrics"]) for name, each in resources(made, "AWS::CloudWatch::Alarm") if "Metrics" in each]
    return [f"{name}: {each}" for name, metrics in found for each in _math_faults(metrics)]


def _math_faults(metrics: list[dict[str, Any]]) -> Iterator[str]:
    ids = [each["Id"] for each in metrics]
    yield from (f"{each} is no id" for each in ids if not _MATH_ID.fullmatch(each))
    if len({*ids}) != len(ids):
        yield "two metrics have one id"
    if len(metrics) > METRICS_OF_AN_ALARM:
        yield f"{len(metrics)} metrics"
    if [each.get("ReturnData", True) for each in metrics].count(True) != 1:
        yield "an alarm looks at one result"
    if len({each["MetricStat"]["Period"] for each in metrics if "MetricStat" in each}) > 1:
        yield "its metrics have several periods"
    for each in metrics:
        if "SELECT" not in each.get("Expression", "SELECT"):
            yield from _expression_faults(each["Expression"], {*ids} - {each["Id"]})


def _expression_faults(expression: str, ids: set[str]) -> Iterator[str]:
    at = 0
    while at < len(expression.rstrip()):
        token = _MATH_TOKEN.match(expression, at)
        if token is None:
            yield f"{expression!r} is no expression from {at} on"
            return
        if token["name"] and token["name"] not in (MATH if token["call"] else ids):
            yield f"{expression!r} speaks of {token['name']}, which is not there"
        at = token.end()
    if expression.count("(") != expression.count(")"):
        yield f"{expression!r} does not close what it opens"


def dashboard(template: Template) -> list[str]:
    made = resolved(template, given(template), Place(LONGEST_STACK, "ap-southeast-1"))
    return [
        f"{name}: {each}"
        for name, board in resources(made, "AWS::CloudWatch::Dashboard")
        for each in _dashboard_faults(board["DashboardBody"])
    ]


def _dashboard_faults(body: str) -> Iterator[str]:
    try:
        widgets = json.loads(body)["widgets"]
    except (ValueError, KeyError) as error:
        yield f"is not a dashboard in JSON: {error}"
        return
    if len(widgets) > WIDGETS:
        yield f"{len(widgets)} widgets"
    taken: set[tuple[int, int]] = set()
    for widget in widgets:
        x, y, width, height = (widget[key] for key in ("x", "y", "width", "height"))
        cells = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        said = widget["properties"]
        if x + width > COLUMNS or y + height > ROWS or taken & cells:
            yield f"{said['title']} has no room"
        taken |= cells
        yield from (f"{said['title']}: {each}" for each in _widget_faults(widget["type"], said))


def _widget_faults(kind: str, said: dict[str, Any]) -> Iterator[str]:
    if kind != "metric" or said["view"] not in VIEWS:
        yield f"{kind} in {said['view']}"
    yield from (f"{each} is no property of a widget" for each in said.keys() - OF_A_METRIC_WIDGET)
    if not 0 < len(said["metrics"]) <= METRICS_OF_A_WIDGET:
        yield f"{len(said['metrics'])} metrics"
    for metric in said["metrics"]:
        *named, options = metric
        if not isinstance(options, dict):
            yield f"{metric} has no label"
            continue
        yield from (f"{each} is no property of a metric" for each in options.keys() - OF_A_METRIC)
        # Namespace and name, and dimensions by pairs.
        if "expression" in options:
            yield from _search_faults(named, options["expression"])
        elif len(named) < 2 or len(named) % 2:
            yield f"{named} is no metric"
        elif not STATISTIC.fullmatch(options["stat"]):
            yield f"{options['stat']} is no statistic"


def _search_faults(named: list[str], expression: str) -> Iterator[str]:
    inner = re.sub(r"^SUM\((.*)\)$", r"\1", expression)
    if named or not SEARCH.fullmatch(inner):
        yield f"{expression} is no search"
    if len(inner) > LONGEST_SEARCH:
        yield f"a search of {len(inner)} characters"


def access_log(template: Template) -> list[str]:
    made = resolved(template, given(template), Place())
    return [
        f"{name}: {each}"
        for name, stage in resources(made, "AWS::ApiGatewayV2::Stage")
        for each in _format_faults(stage.get("AccessLogSettings", {}).get("Format", ""))
    ]


def _format_faults(written: str) -> Iterator[str]:
    said = re.findall(r"\$context\.([A-Za-z.]+)", written)
    yield from (f"$context.{each} is no variable of an HTTP API" for each in said if each not in OF_A_REQUEST)
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
    if not {*said} & {"requestId", "extendedRequestId"}:
        yield "a request has no id"
    if "\n" in written:
        yield "a line of the log is one line"
    try:
        json.loads(re.sub(r"\$context\.[A-Za-z.]+", "-", written))
    except ValueError as error:
        yield f"is not JSON: {error}"
