"""The plans of the runs, long and small, and the rates of faults in AWS's calls."""

from typing import Any

from tests.loss_check.mutations import MUTATIONS
from tests.loss_check.plan import Plan

RATES = {
    "send": 0.03,
    "dead letter": 0.3,
    "delete": 0.15,
    "visibility": 0.06,
    "row": 0.03,
    "read": 0.08,
    "rest": 0.07,
    "store body": 0.6,
    "fetch body": 0.3,
    "secret": 0.1,
    "replay": 0.4,
}


def long(seed: int, events: int) -> Plan:
    """Return the plan of a run in which, with 10,000 events, every kind of fault strikes twenty times and more."""
    return Plan(seed=seed, events=events, rates=RATES, archives=True, replays=True)


def small() -> Plan:
    """Return the plan of the run that every test run makes: many kinds, each a few times."""
    return Plan(
        seed=5,
        events=150,
        rate=40.0,
        subjects=15,
        scale=4.0,
        rates=RATES,
        archives=True,
        replays=True,
        real_seconds=60.0,
    )


def with_circuits() -> Plan:
    """Return the plan of a run whose destinations have circuits: they open when much fails in a row."""
    return Plan(seed=6, events=40, rate=40.0, subjects=15, scale=12.0, circuits=True, real_seconds=60.0)


def mutated(name: str) -> Plan:
    """Return the plan of the run that catches a mutation."""
    base: dict[str, Any] = {
        "seed": 7,
        "events": 80,
        "rate": 100.0,
        "subjects": 12,
        "slow": 0.0,
        "deploys": False,
        "real_seconds": 60.0,
    }
    return Plan(**{**base, **MUTATIONS[name].plan, "mutation": name})
