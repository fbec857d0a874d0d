from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from botocore.exceptions import ClientError

from tests.integration.simulator import limits, rules
from tests.integration.simulator.backends import BACKENDS, SIMULATED_TIME, Backend
from tests.integration.simulator.probe import Probe
from tests.integration.simulator.table import ROWS, Row

MODULES = (rules, limits)
"""Imported for the rows that they put into the table."""


def runs(*, excused: bool) -> list[object]:
    return [
        pytest.param(backend, row, id=f"{backend}-{row.check.__name__}")
        for row in ROWS
        for backend in BACKENDS
        if (backend in row.differs) is excused and (backend in SIMULATED_TIME or not row.moves_time)
    ]


@pytest.fixture(scope="module")
def opened() -> Iterator[Callable[[str], Backend]]:
    """Each stand-in is started once: every row makes queues of its own."""
    with ExitStack() as stack:
        yield cache(lambda backend: stack.enter_context(BACKENDS[backend]()))


@pytest.mark.parametrize(("backend", "row"), runs(excused=False))
def test_a_stand_in_for_sqs_does_as_sqs_does(opened: Callable[[str], Backend], backend: str, row: Row) -> None:
    row.check(Probe(opened(backend), row.most_receives))


@pytest.mark.parametrize(("backend", "row"), runs(excused=True))
def test_a_stand_in_is_excused_only_from_what_it_does_otherwise(
    opened: Callable[[str], Backend], backend: str, row: Row
) -> None:
    probe = Probe(opened(backend), row.most_receives)
    with pytest.raises((AssertionError, ClientError, KeyError)):
        row.check(probe)
