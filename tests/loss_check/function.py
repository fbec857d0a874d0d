"""The functions' processes: one that has imported everything, and forks one that works whenever it is asked.

Run by workers.py as ``python -m tests.loss_check.function ADDRESS CLOCK LOG``; each line of standard input asks for a
process and says its settings. Their clients speak to the accountant over a socket; all else is the product's own.
"""

import io
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aws_lambda_powertools.utilities.circuit_breaker import base
from aws_lambda_powertools.utilities.circuit_breaker.persistence import base as persistence
from aws_lambda_powertools.utilities.circuit_breaker.persistence import dynamodb
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

import deliver
import ingest
from flagcast.edges.aws import queue
from flagcast.edges.aws.targets import transport as targets
from flagcast.edges.http import transport
from flagcast.edges.wiring import deliver_batch, ingest_request, resources
from tests.loss_check import redriving
from tests.loss_check.calls import ACCOUNTANT
from tests.loss_check.clock import SharedClock
from tests.loss_check.mutations import MUTATIONS
from tests.loss_check.patience import Patience
from tests.loss_check.wire import put, take

POWERTOOLS = (base, persistence, dynamodb)
"""Its circuit breaker asks datetime.now()."""
TARGET = "target"
"""What the accountant calls the services that destinations are."""
IN_AN_ERROR = "canary-in-an-error-message"
Function = Callable[[Any, float], Any]


class Service:
    """A client in botocore's shape; the accountant does what it asks, or not."""

    exceptions = SimpleNamespace(
        ConditionalCheckFailedException=type("ConditionalCheckFailedException", (ClientError,), {}),
        NoSuchKey=type("NoSuchKey", (ClientError,), {}),
    )

    meta = SimpleNamespace(endpoint_url="https://aws")

    def __init__(self, name: str, address: str, number: Callable[[], int] = lambda: 0) -> None:
        """Keep what tells the number of the call that is made."""
        self._name = name
        self._address = address
        self._number = number
        self._own = threading.local()

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            if not hasattr(self._own, "connection"):
                self._own.connection = connect(self._address, "calls")
            put(self._own.connection, (self._number(), self._name, operation, arguments))
            answer, value = take(self._own.connection)
            if answer == "error":
                error = getattr(self.exceptions, value, ClientError)
                # What a destination says is for people, wherever it is.
                said = "no" if self._name == TARGET else IN_AN_ERROR
                answered: Any = (
                    {"HTTPStatusCode": HTTPStatus.PRECONDITION_FAILED} if value == "PreconditionFailed" else {}
                )
                raise error({"Error": {"Code": value, "Message": said}, "ResponseMetadata": answered}, operation)
            if answer == "unreachable":
                raise EndpointConnectionError(endpoint_url=f"https://{IN_AN_ERROR}")
            if answer == "no answer":
                raise ReadTimeoutError(endpoint_url=f"https://{IN_AN_ERROR}")
            return {"Body": io.BytesIO(value["Body"])} if operation == "get_object" else value

        return call


class Context:
    """Lambda's context, from now on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return round((self._end - time.monotonic()) * 1000)


def connect(address: str, purpose: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    put(connection, (os.getpid(), purpose))
    return connection


def work(address: str, clock: SharedClock, settings: dict[str, Any]) -> None:
    """Work through invocations until the accountant is gone."""
    os.environ.update(settings["environment"], FLAGCAST_VAR_PROCESS=str(os.getpid()))
    # Deadlines of calls and attempts are real, all other time is simulated.
    simulated = SimpleNamespace(time=clock.now, monotonic=time.monotonic)
    simulated_datetime = SimpleNamespace(now=lambda: datetime.fromtimestamp(clock.now(), UTC))
    services: dict[str, Service] = {}
    accountant = Service(ACCOUNTANT, address)
    patience = Patience(lambda calls: accountant.unheard(calls=calls))

    def client(name: str, *_: object) -> Service:
        return services.setdefault(name, Service(name, address, lambda: patience.number))

    for module, name, value in [
        (resources, "time", simulated),
        (resources, "client", client),
        (deliver_batch, "target_client", lambda *_: client(TARGET)),
        (queue, "within", patience.within),
        (targets, "within", patience.within),
        (deliver_batch, "send", patience.send(deliver_batch.send)),
        (deliver_batch, "CLOCK", SimpleNamespace(now=clock.now, monotonic=time.monotonic)),
        (deliver_batch, "PATIENCE", settings["patience"]),
        (ingest_request, "time", simulated),
        (ingest_request, "PATIENCE", settings["patience"]),
        (transport, "time", simulated),
        *((module, "dt", SimpleNamespace(datetime=simulated_datetime)) for module in POWERTOOLS),
    ]:
        setattr(module, name, value)
    if settings["mutation"]:
        MUTATIONS[settings["mutation"]].apply()
    functions: dict[str, Function] = {
        "ingest": lambda event, _: ingest.handler(event, None),
        "deliver": lambda event, seconds: deliver.handler(event, Context(seconds)),
        "redrive": lambda event, _: redriving.redriven(event),
    }
    control = connect(address, "control")
    while True:
        function, event, seconds = take(control)
        try:
            put(control, ("answered", functions[function](event, seconds)))
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime does
            put(control, ("raised", type(error).__name__))


def main(address: str, clock: SharedClock, log: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for ours, theirs in ((nothing, 0), (output, 1), (output, 2)):
                os.dup2(ours, theirs)
            try:
                work(address, clock, json.loads(line))
            except EOFError:
                os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], SharedClock(Path(sys.argv[2])), Path(sys.argv[3]))
