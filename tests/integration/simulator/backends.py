"""What can stand for SQS: the simulator, in memory and served, and, through real boto3 clients, others."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from msgspec import Struct

from flagcast_cli.local.emulator import emulator
from tests.support.fifo import SimulatedClock
from tests.support.ports import free_port
from tests.support.processes import served_queues
from tests.support.simulator import Simulator


class Backend(Struct):
    """A client in boto3's shape; `advance` is None where time only passes by itself."""

    client: Any
    advance: Callable[[float], None] | None


@contextmanager
def simulator() -> Iterator[Backend]:
    clock = SimulatedClock()
    yield Backend(Simulator(clock), clock.advance)


@contextmanager
def moto() -> Iterator[Backend]:
    clock = SimulatedClock()

    def milliseconds() -> float:
        # moto shows again only in the next millisecond what is handed back in this one.
        clock.advance(0.001)
        return clock.now() * 1000

    with (
        mock_aws(),
        patch("moto.sqs.models.unix_time", clock.now),
        patch("moto.sqs.models.unix_time_millis", milliseconds),
    ):
        yield Backend(_client(), clock.advance)


@contextmanager
def served() -> Iterator[Backend]:
    with served_queues("still") as queues:
        yield Backend(_client(queues.url), queues.advance)


@contextmanager
def ministack() -> Iterator[Backend]:
    with tempfile.TemporaryDirectory() as folder, emulator(free_port(), Path(folder)) as running:
        yield Backend(_client(running.endpoint), None)


def _client(endpoint_url: str | None = None) -> Any:
    return boto3.client(
        "sqs",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        endpoint_url=endpoint_url,
    )


BACKENDS: dict[str, Callable[[], AbstractContextManager[Backend]]] = {
    "simulator": simulator,
    "served": served,
    "moto": moto,
    "ministack": ministack,
}
SIMULATED_TIME = frozenset(BACKENDS) - {"ministack"}
"""Those that can be advanced, by name."""
