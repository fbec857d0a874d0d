from collections import Counter

import pytest

from flagcast.tasks.progress import MOST_STARTS
from tests.support.deployment import VISIBILITY, Deployment
from tests.support.destinations import Behaviour
from tests.support.enqueued import enqueue, flag_events
from tests.support.time_limits import PATIENCE

KILLS = MOST_STARTS + 1
"""A task has no mark until a function has ended over it."""


@pytest.mark.parametrize("place", [pytest.param(0, marks=pytest.mark.long), 9])
def test_a_task_that_kills_the_function_every_time_drags_none_of_its_batch_along(
    deployment: Deployment, place: int
) -> None:
    events = flag_events(10, 10)
    deployment.configure({"deadly": {}})
    deployment.behave(deadly=Behaviour(delay=0.02, kills=f'"flag-{place}"'))
    identities = enqueue(deployment.sqs, deployment.url, deployment.configuration, events)
    with deployment.functions(1, FLAGCAST_CIRCUIT_BREAKER="off"):
        for kill in range(1, KILLS + 1):
            # The function after it asks for a batch as soon as it runs, and gets none: all are in flight.
            assert deployment.queues.wait_for_processes(kill + 1, PATIENCE), f"the task did not kill for time {kill}"
            deployment.queues.advance(VISIBILITY + 1)
        assert deployment.queues.wait_until_empty(deployment.url, PATIENCE)

    killer = identities.pop(place)
    (letter,) = deployment.dead_letters()
    assert (letter["reason"], letter["event_id"], letter["destination"]) == ("crashed", killer, "deadly")

    arrived = deployment.arrived()
    delivered = Counter(each.event_id for each in arrived if each.status == 200)
    assert sorted(delivered) == sorted(identities)
    requests = Counter(each.event_id for each in arrived)
    assert requests[killer] == KILLS
    # At least once, and seldom more: side by side with the killer at most twice, then alone.
    assert max(delivered.values()) <= 3
