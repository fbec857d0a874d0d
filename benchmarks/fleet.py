"""One run: a backlog of events is delivered by so many deliver functions, and what became of it is measured."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct, structs
from tests.support.deployment import FUNCTION, Deployment, deployed
from tests.support.destinations import Behaviour
from tests.support.enqueued import enqueue, flag_events

DELAY = 0.05
"""Seconds in which a destination answers that is well."""
PATIENCE = 900.0
HEALTHY = ["d1", "d2", "d3", "d4"]
FIFTH = "d5"
LEAST_OPEN = 1.0
"""Seconds after the circuit opened that make a rate worth printing."""


class Case(Struct, frozen=True):
    """A run; `fifth` is what the fifth destination does: `absent`, `well`, `hangs` or `fails` (answers 500)."""

    functions: int
    events: int
    subjects: int
    fifth: str
    breaker: bool = True


class Measured(Struct, frozen=True):
    """What was measured of one run; seconds count from when the backlog may be taken up."""

    case: Case
    healthy: int
    """Deliveries to the destinations that are well."""
    last_healthy_s: float
    rate: float
    """Those per second, up to the last."""
    repeated: int
    fifth_requests: int
    circuit_opened_s: float | None
    rate_once_open: float | None
    processor_ms: float
    """Of the functions, for each task that was received and settled to a 2xx."""
    busy: float
    """Of this machine's processors, by functions, queues and destinations together: 1 is one core."""
    fifth_well_again_s: float | None = None
    """From when the fifth is well again to its last event; None if it never was ill or never is well."""


@contextmanager
def fleet(
    count: int, *, breaker: bool, fifth: bool = True, function: str = FUNCTION, **destination: Any
) -> Iterator[Deployment]:
    """Run functions that have each had their first invocation, over queues that hand out nothing yet."""
    with tempfile.TemporaryDirectory() as folder, deployed(Path(folder)) as deployment:
        names = [*HEALTHY, FIFTH] if fifth else HEALTHY
        deployment.configure(
            {
                **{name: {"timeout": "2s", "events": ["flag:*"], **destination} for name in names},
                "warm": {"events": ["segment:*"], "ordering": "none"},
            }
        )
        deployment.behave(**{name: Behaviour(delay=DELAY) for name in names}, warm=Behaviour(delay=0.5))
        settings = {"FLAGCAST_CIRCUIT_BREAKER": "on" if breaker else "off"}
        with deployment.functions(count, function, **settings):
            _warm_up(deployment, count)
            yield deployment


def measure(case: Case) -> Measured:
    """Make one run."""
    ill = case.fifth in ("hangs", "fails")
    watched = [*HEALTHY, FIFTH] if case.fifth == "well" else HEALTHY
    with fleet(case.functions, breaker=case.breaker, fifth=case.fifth != "absent") as deployment:
        if ill:
            deployment.behave(d5=Behaviour(delay=DELAY, hangs="{" if case.fifth == "hangs" else "", status=500))
        backlog(deployment, flag_events(case.events, case.subjects))
        before = deployment.processors()
        began = time.time()
        deployment.queues.enable(True)
        assert deployment.wait_for(watched, case.events, PATIENCE), "the healthy destinations did not get everything"
        measured = _measured(deployment, case, watched, began, before)
        if case.fifth == "fails":
            well = time.time()
            deployment.behave(d5=Behaviour(delay=DELAY))
            assert deployment.wait_for([FIFTH], case.events, PATIENCE), "the fifth did not get everything"
            measured = structs.replace(measured, fifth_well_again_s=time.time() - well)
        return measured


def backlog(deployment: Deployment, events: Sequence[bytes]) -> None:
    """Put events on the queue while nothing is handed out."""
    deployment.queues.enable(False)
    enqueue(deployment.sqs, deployment.url, deployment.configuration, events)


def _warm_up(deployment: Deployment, functions: int) -> None:
    """Give each function one batch: while it works on it, another gets the next."""
    segments = [each.replace(b'"type": "flag"', b'"type": "segment"') for each in flag_events(functions * 10, 1000)]
    backlog(deployment, segments)
    assert deployment.queues.wait_for_processes(functions, 60)
    deployment.queues.enable(True)
    assert deployment.wait_for(["warm"], len(segments), 60)


def _measured(
    deployment: Deployment, case: Case, watched: Sequence[str], began: float, before: tuple[float, float]
) -> Measured:
    functions, others = (after - first for after, first in zip(deployment.processors(), before, strict=True))
    arrived = [each for each in deployment.arrived() if each.path != "/warm"]
    healthy = [each for each in arrived if each.path.strip("/") in watched]
    wanted = case.events * len(watched)
    last = max(each.at for each in healthy) + DELAY
    opened = min((at for at, destination in openings(deployment) if destination == FIFTH), default=None)
    rate_once_open = None
    if opened is not None and last - opened > LEAST_OPEN:
        rate_once_open = sum(each.at + DELAY >= opened for each in healthy) / (last - opened)
    delivered = sum(200 <= each.status <= 299 for each in arrived)
    return Measured(
        case,
        wanted,
        last - began,
        wanted / (last - began),
        len(healthy) - wanted,
        len(arrived) - len(healthy),
        None if opened is None else opened - began,
        rate_once_open,
        functions / delivered * 1000,
        (functions + others) / (last - began),
    )


def openings(deployment: Deployment) -> Iterator[tuple[float, str]]:
    """Go through when circuits opened (epoch seconds), and whose."""
    for line in deployment.logged():
        if line["event"] == "circuit.changed" and line["after"].upper().endswith("OPEN"):
            yield line["_aws"]["Timestamp"] / 1000, line["destination"]
