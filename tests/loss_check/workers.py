"""The functions as processes: each hand has one, and gets another when it is killed or another version is deployed."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Queue
from typing import Any

from tests.loss_check.faulty_cloud import FaultyCloud
from tests.loss_check.ledger import Invocation
from tests.loss_check.wire import put, take

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
"""Real seconds after which an invocation is taken to have no end."""
TIMEOUT = 45.0


class Killed(Exception):
    """The process ended while it worked."""


class Workers:
    """Starts processes and serves their calls; used as a context."""

    def __init__(self, folder: Path, environment: Mapping[str, str], patience: float) -> None:
        self.log = folder / "functions.log"
        self.log.touch()
        self.generations: dict[int, int] = {}
        self.settings: dict[str, Any] = {"environment": dict(environment), "patience": patience, "mutation": None}
        self._folder = folder
        self._ready: Queue[tuple[int, socket.socket]] = Queue()
        self._one_at_a_time = threading.Lock()
        self._address = str(folder / "calls")

    def __enter__(self) -> "Workers":
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._address)
        self._listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()
        paths = ("layers/flagcast/python", "functions/deliver", "functions/ingest", ".")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "FLAGCAST_"))}
        environment |= {"PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in paths), "NO_PROXY": "*"}
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.loss_check.function", self._address, self._folder / "clock", self.log],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        self._nursery.communicate()
        self._listener.close()

    def serve(self, cloud: FaultyCloud) -> None:
        """Let the calls of processes from now on go to a cloud."""
        self.cloud = cloud

    def start(self, generation: int) -> tuple[int, socket.socket]:
        """Start a process; returns its id and the connection over which it is invoked."""
        with self._one_at_a_time:
            assert self._nursery.stdin is not None
            self._nursery.stdin.write(json.dumps(self.settings) + "\n")
            self._nursery.stdin.flush()
            pid, control = self._ready.get(timeout=PATIENCE)
        self.generations[pid] = generation
        control.settimeout(PATIENCE)
        return pid, control

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._greet, args=[connection], daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        try:
            pid, purpose = take(connection)
            if purpose == "control":
                self._ready.put((pid, connection))
                return
            while True:
                number, service, operation, arguments = take(connection)
                # No reply: its process was killed, unless its invocation had ended before a call that was left behind.
                reply = self.cloud.call(pid, number, service, operation, arguments)
                put(connection, reply or ("no answer", None))
        except (EOFError, OSError):
            pass
        connection.close()


class Place:
    """Where one function runs, and after it another."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._running: tuple[int, socket.socket] | None = None
        self.generation = -1

    def invoke(self, function: str, event: object, generation: int, invocation: Invocation | None = None) -> Any:
        """Call a function as it is deployed now; raises Killed."""
        if self.generation != generation:
            self.close()
        if self._running is None:
            self._running = self._workers.start(generation)
            self.generation = generation
        pid, control = self._running
        self._workers.cloud.begin(pid, invocation)
        try:
            put(control, (function, event, TIMEOUT))
            how, value = take(control)
        except (EOFError, OSError) as error:
            self._workers.cloud.end(pid)
            self.close()
            raise Killed from error
        if not self._workers.cloud.end(pid):
            # Killed when it had said everything: no one hears it.
            self.close()
            raise Killed
        assert how == "answered", value
        return value

    def close(self) -> None:
        if self._running is not None:
            self._running[1].close()
            self._running = None
