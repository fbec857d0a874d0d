import json

import pytest

from flagcast.edges.runtime.telemetry import Telemetry
from flagcast.errors import QueueUnavailable
from flagcast.events.replay import Replay
from flagcast.tasks.outcomes import Answered, Done, NotNow, Outcome, RetryIn
from flagcast.tasks.task import replayed
from tests.unit.builders import message, task_for


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


def test_the_line_of_a_replayed_delivery_says_by_which_replay_and_that_of_a_live_one_says_none() -> None:
    lines: list[str] = []
    telemetry = Telemetry(lambda: 1_790_000_000.5, "", lines.append)
    again = replayed(task_for(), Replay("rpl_1", "2026-11-27T06:00:00.000Z"))
    for each in (again, task_for()):
        telemetry.attempted(message(each), Answered(200), Done(), 1, 0.25)
    by_replay, live = map(json.loads, lines)
    assert (by_replay["replay"], by_replay["delivery_id"], by_replay["event_id"]) == ("rpl_1", again.id, "evt_1")
    assert "replay" not in live
