"""A deploy, and a rollback, in the middle of traffic: functions of two versions work side by side on one queue."""

import time
from pathlib import Path

import pytest

from tests.support.deployment import VISIBILITY, Deployment
from tests.support.destinations import Behaviour
from tests.support.enqueued import enqueue, flag_events
from tests.support.time_limits import PATIENCE

EVENTS = 40
SUBJECTS = 8


@pytest.fixture
def versions(deployment: Deployment) -> dict[str, Path]:
    """The old version knows `leaving`, the new one `coming`."""
    made = {}
    for version, names in {"old": ("both", "leaving"), "new": ("both", "coming")}.items():
        deployment.configure({name: {} for name in names})
        made[version] = deployment.configuration.rename(deployment.folder / f"{version}.yaml")
    # Slow, so that there is something left of it when the old version ends.
    deployment.behave(both=Behaviour(delay=0.02), coming=Behaviour(delay=0.02), leaving=Behaviour(delay=0.3))
    return made


def delivered(deployment: Deployment, name: str) -> list[str]:
    return [each.event_id for each in deployment.arrived() if each.path == f"/{name}" and each.status == 200]


def wait_until_all_is_delivered(deployment: Deployment, wanted: dict[str, list[str]]) -> None:
    """What an ended function had in hand, and what was put off, is seen again when its time is up: let it be up.

    Not while somebody works: what is in hand would be seen again, too, as if its function had been killed.
    """
    deadline, arrived = time.monotonic() + PATIENCE, -1
    while time.monotonic() < deadline:
        if all({*events} <= {*delivered(deployment, name)} for name, events in wanted.items()):
            return
        deployment.wait_for([*wanted], EVENTS * 2, 1.0)
        if arrived == (arrived := len(deployment.arrived())):
            deployment.queues.advance(VISIBILITY + 1)
    pytest.fail("something was not delivered")


def in_order(deployment: Deployment, name: str, events: list[str]) -> bool:
    """Whether the first delivery of each event came in its subject's order."""
    first = [*dict.fromkeys(delivered(deployment, name))]
    lines = [[each for each in first if each in events[subject::SUBJECTS]] for subject in range(SUBJECTS)]
    return lines == [events[subject::SUBJECTS] for subject in range(SUBJECTS)]


def test_a_deploy_and_its_rollback_lose_nothing_not_even_what_only_one_of_the_versions_knows(
    deployment: Deployment, versions: dict[str, Path]
) -> None:
    made = flag_events(EVENTS * 2, SUBJECTS)
    before = enqueue(deployment.sqs, deployment.url, versions["old"], made[:EVENTS])
    with deployment.functions(2, FLAGCAST_CONFIG=str(versions["new"])):
        with deployment.functions(2, FLAGCAST_CONFIG=str(versions["old"])):
            after = enqueue(deployment.sqs, deployment.url, versions["new"], made[EVENTS:])
            assert deployment.wait_for(["leaving"], 3, PATIENCE)
        wait_until_all_is_delivered(deployment, {"both": before + after, "coming": after})
        left = {*before} - {*delivered(deployment, "leaving")}
        assert left, "the old version had delivered everything before it ended: nothing was tried"
    assert deployment.dead_letters() == []
    with deployment.functions(2, FLAGCAST_CONFIG=str(versions["old"])):
        wait_until_all_is_delivered(deployment, {"leaving": before})
        assert deployment.queues.wait_until_empty(deployment.url, PATIENCE)
    assert deployment.dead_letters() == []
    assert in_order(deployment, "both", before + after)
    assert in_order(deployment, "coming", after)
    assert in_order(deployment, "leaving", before)
