import json

import pytest

from flagcast.edges.runtime.telemetry import Telemetry
from flagcast.errors import QueueUnavailable
from flagcast.tasks.outcomes import Answered, NotNow, Outcome, RetryIn
from tests.unit.builders import message


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


@pytest.mark.parametrize("outcome", [Answered(429, 3600.0), NotNow(200, 3600.0, "ratelimited")])
def test_the_line_of_an_attempt_says_for_how_long_the_destination_asked_to_be_left_alone(outcome: Outcome) -> None:
    lines: list[str] = []
    telemetry = Telemetry(lambda: 1_790_000_000.5, "", lines.append)
    telemetry.attempted(message(), outcome, RetryIn(3600), 1, 0.25, 1_790_086_400)
    told = json.loads(lines[0])
    assert (told["outcome"], told["waits_for"], told["retry_after"]) == ("retrying", "retry", 3600)
    assert (told["next_attempt_at"], told["gives_up_at"]) == ("2026-09-21T15:13:20.500Z", "2026-09-22T14:13:20.000Z")
    assert (told["Failed"], told["DeliveryLatency"]) == (1, 250)
