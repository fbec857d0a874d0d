"""What runs beside a test or benchmark in processes of its own: the served simulator, destinations, functions."""

import http.client
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.support.http_server import HOST
from tests.support.time_limits import PATIENCE

ROOT = Path(__file__).parents[2]


class Served:
    """A process that serves on a port, and a connection to it that is used by one thread."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{HOST}:{port}"
        self._connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)

    def ask(self, path: str, value: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        self._connection.request("POST", path, msgspec.json.encode(value), dict(headers or {}))
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (answer.status, body)
        return msgspec.json.decode(body)

    def close(self) -> None:
        self._connection.close()


class Queues(Served):
    """The served simulator, as its users do not see it."""

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._do("advance", seconds=seconds)

    def enable(self, enabled: bool) -> None:
        """Let the event source mapping hand out batches, or not."""
        self._do("enable", enabled=enabled)

    def poll(self, url: str, batch_size: int, wait: float, process: str, processor: float) -> dict[str, Any] | None:
        event: dict[str, Any] | None = self._do(
            "poll", url=url, batch_size=batch_size, wait=wait, process=process, processor=processor
        )
        return event

    def settle(self, url: str, process: str, answer: object) -> None:
        self._do("settle", url=url, process=process, answer=answer)

    def wait_for_processes(self, count: int, wait: float) -> bool:
        """Wait until so many functions have asked for a batch."""
        return bool(self._do("wait_for_processes", count=count, wait=wait))

    def wait_until_idle(self, wait: float) -> bool:
        """Wait until no function has a batch in hand."""
        return bool(self._do("wait_until_idle", wait=wait))

    def wait_until_empty(self, url: str, wait: float) -> bool:
        """Wait until every task is delivered or dead-lettered."""
        return bool(self._do("wait_until_empty", url=url, wait=wait))

    def processors_used(self) -> dict[str, float]:
        used: dict[str, float] = self._do("processors_used")
        return used

    def _do(self, operation: str, **arguments: Any) -> Any:
        return self.ask("/", arguments, {"X-Amz-Target": f"Simulator.{operation}"})


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[int]:
    """Run a module that serves and says where; it is ended on leaving."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@contextmanager
def served_queues(clock: Literal["still", "going"] = "going") -> Iterator[Queues]:
    """Run the served simulator; its clock goes as time does, or only when it is advanced."""
    with serving("tests.support.simulator_server", clock) as port:
        queues = Queues(port)
        try:
            yield queues
        finally:
            queues.close()
