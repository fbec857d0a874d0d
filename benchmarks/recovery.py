"""What it costs to be able to tell a task that kills the function, when everything comes back after an outage."""

import time
from collections.abc import Callable

from msgspec import Struct
from tests.support.deployment import FUNCTION, Deployment
from tests.support.destinations import Behaviour
from tests.support.enqueued import flag_events

from benchmarks.fleet import DELAY, FIFTH, HEALTHY, PATIENCE, backlog, fleet
from benchmarks.measuring import Figure

ROUNDS = 3
SIZES = {2: 1000, 8: 2000}
"""Tasks by functions: as many functions as the machine has cores that it was written on, and more than those carry."""
CARELESS = "benchmarks.careless"
NAMES = [*HEALTHY, FIFTH]
RETRY = {"initial_interval": "60s"}
"""Longer than an outage here: each task is refused once."""
HOUR = 3600.0
LOOKS_EVERY = 0.5


class Kind(Struct, frozen=True):
    """What happened to the tasks before they are delivered, and by which function they are."""

    before: str
    function: str = FUNCTION


KINDS = {
    "received for the first time": Kind("nothing"),
    "after an outage, without crash isolation": Kind("outage", CARELESS),
    "after an outage": Kind("outage"),
    "after their functions were killed: each marked before its attempt": Kind("killed"),
}


class Recovered(Struct, frozen=True):
    """The rounds of one kind."""

    functions: int
    tasks: int
    of_a_group: int
    kind: str
    rate: Figure
    """Deliveries per second."""
    processor_ms: Figure
    """Of the functions, for each delivery."""


def recoveries(scale: float, rounds: int) -> list[Recovered]:
    """Measure each kind in turns, so many times."""
    rows = [
        (functions, int(tasks * scale), of_a_group, kind)
        for functions, tasks in SIZES.items()
        for of_a_group in (1, 10)
        for kind in KINDS
    ]
    turns = [[_measure(*row) for row in rows] for _ in range(rounds)]
    return [_summed_up(*row, runs) for row, runs in zip(rows, zip(*turns, strict=True), strict=True)]


def _summed_up(
    functions: int, tasks: int, of_a_group: int, kind: str, runs: tuple[tuple[float, float], ...]
) -> Recovered:
    rates, processors = zip(*runs, strict=True)
    return Recovered(functions, tasks, of_a_group, kind, Figure.of(rates), Figure.of(processors))


def _measure(functions: int, tasks: int, of_a_group: int, kind: str) -> tuple[float, float]:
    """Return deliveries per second, and milliseconds of the functions' processor time for each."""
    events = tasks // len(NAMES)
    # Once open, circuits would hold everything back for half a minute, and then let it through at their own pace.
    with fleet(functions, breaker=False, function=KINDS[kind].function, retry=RETRY) as deployment:
        backlog(deployment, flag_events(events, events // of_a_group))
        BEFORE[KINDS[kind].before](deployment, tasks // of_a_group)
        before, _ = deployment.processors()
        began = time.time()
        deployment.queues.enable(True)
        assert deployment.wait_for(NAMES, events, PATIENCE)
        after, _ = deployment.processors()
        last = max(each.at for each in deployment.arrived())
        return tasks / (last - began), (after - before) / tasks * 1000


def _nothing(deployment: Deployment, groups: int) -> None:
    """Let the tasks be received for the first time."""


def _outage(deployment: Deployment, groups: int) -> None:
    """Let every destination answer 500 until each group's first task was refused, and then be well."""
    deployment.behave(**{name: Behaviour(delay=DELAY, status=500) for name in NAMES})
    deployment.queues.enable(True)
    until = time.monotonic() + PATIENCE
    while (refused := sum(each.status == 500 for each in deployment.arrived())) < groups:
        assert time.monotonic() < until, f"{refused} of {groups} groups were refused"
        # Between two looks at what has arrived, up to the deadline.
        time.sleep(LOOKS_EVERY)
    deployment.queues.enable(False)
    assert deployment.queues.wait_until_idle(PATIENCE)
    deployment.behave(**{name: Behaviour(delay=DELAY) for name in NAMES})
    deployment.queues.advance(HOUR)


def _killed(deployment: Deployment, groups: int) -> None:
    """Receive every task and leave it, as a function does that is killed."""
    while deployment.sqs.receive_message(QueueUrl=deployment.url, MaxNumberOfMessages=10).get("Messages"):
        pass
    deployment.queues.advance(HOUR)


BEFORE: dict[str, Callable[[Deployment, int], None]] = {"nothing": _nothing, "outage": _outage, "killed": _killed}
