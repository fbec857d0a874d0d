"""What the marks that tell a task that kills the function cost, when many tasks come back after an outage."""

import time

from msgspec import Struct
from tests.support.deployment import Deployment
from tests.support.enqueued import flag_events

from benchmarks.fleet import FIFTH, HEALTHY, PATIENCE, backlog, fleet

FUNCTIONS = 2
"""As many as the machine that it was written on has cores: with more, it is the cores that are measured."""


class Recovered(Struct, frozen=True):
    """One run; `table` is `real`, or `gone`: then nothing is read, and nothing marked."""

    tasks: int
    of_a_group: int
    table: str
    received_before: bool
    rate: float
    """Deliveries per second."""
    processor_ms: float
    """Of the functions, for each delivery."""


def recoveries(tasks: int) -> list[Recovered]:
    """Measure tasks that come for the first time, and those that were received before, with and without marks."""
    return [
        _measure(tasks, of_a_group, table, received_before)
        for of_a_group in (1, 10)
        for table, received_before in (("real", False), ("real", True), ("gone", True))
    ]


def _measure(tasks: int, of_a_group: int, table: str, received_before: bool) -> Recovered:
    names = [*HEALTHY, FIFTH]
    events = tasks // len(names)
    # The circuits' own reads would fail with the table, and slow down what is compared.
    with fleet(FUNCTIONS, "2s", breaker=False, table=table == "real") as deployment:
        backlog(deployment, flag_events(events, events // of_a_group))
        if received_before:
            _hand_back(deployment)
        before, _ = deployment.processors()
        began = time.time()
        deployment.queues.enable(True)
        assert deployment.wait_for(names, events, PATIENCE)
        after, _ = deployment.processors()
        last = max(each.at for each in deployment.arrived())
        return Recovered(
            tasks, of_a_group, table, received_before, tasks / (last - began), (after - before) / tasks * 1000
        )


def _hand_back(deployment: Deployment) -> None:
    """Receive every task and hand it back, as a function does that runs out of time."""
    received: list[str] = []
    while messages := deployment.sqs.receive_message(QueueUrl=deployment.url, MaxNumberOfMessages=10).get("Messages"):
        received += [each["ReceiptHandle"] for each in messages]
    for first in range(0, len(received), 10):
        entries = [
            {"Id": str(at), "ReceiptHandle": each, "VisibilityTimeout": 0}
            for at, each in enumerate(received[first : first + 10])
        ]
        deployment.sqs.change_message_visibility_batch(QueueUrl=deployment.url, Entries=entries)
