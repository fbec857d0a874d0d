import json

import pytest

from flagcast.edges.telemetry import Telemetry
from flagcast.errors import QueueUnavailable


@pytest.mark.parametrize(
    ("stack", "namespace"), [("flagcast-production", "Flagcast/flagcast-production"), ("", "Flagcast")]
)
def test_metrics_are_the_stacks_own_so_that_another_one_does_not_trouble_its_alarms(stack: str, namespace: str) -> None:
    lines: list[str] = []
    telemetry = Telemetry(lambda: 1_790_000_000.5, stack, lines.append)
    telemetry.rejected("flipt", "unauthorized")
    telemetry.queue_failed("delete", QueueUnavailable("Throttled"))
    told = [json.loads(line)["_aws"] for line in lines]
    assert [each["Timestamp"] for each in told] == [1_790_000_000_500] * 2
    assert {each["Namespace"] for one in told for each in one["CloudWatchMetrics"]} == {namespace}
