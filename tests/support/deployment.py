"""A deployment of the deliver function on this machine: its queues, its table, its destinations, and its processes.

The queues are the served simulator's; the table is MiniStack's DynamoDB, which does some 500 requests a second.
"""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
import msgspec

from flagcast_cli.local.emulator import Emulator, emulator
from tests.support.destinations import Arrived, Behaviour
from tests.support.ports import free_port
from tests.support.processes import ROOT, Queues, Served, served_queues, serving

DAY = 86_400
VISIBILITY = 270
TABLE = "state"
FUNCTION = "tests.support.function"
"""The module that runs the deliver function as a process."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


class Deployment:
    """What template.yaml makes, as far as delivery goes."""

    def __init__(self, folder: Path, queues: Queues, table: str, destinations: Served) -> None:
        self.folder = folder
        self.queues = queues
        self._destinations = destinations
        self._numbers = itertools.count()
        self._table = table
        self.sqs: Any = boto3.client(
            "sqs",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            endpoint_url=queues.url,
        )
        self.dead_url = self._create("dead.fifo", {})
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]
        redrive = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 1000}
        self.url = self._create("tasks.fifo", {"RedrivePolicy": json.dumps(redrive)})

    @property
    def configuration(self) -> Path:
        return self.folder / "flagcast.yaml"

    def configure(self, destinations: Mapping[str, Mapping[str, Any]]) -> None:
        """Write flagcast.yaml: each destination is a path of the receiver's, which is on loopback."""
        made = {
            name: {
                "url": f"{self._destinations.url}/{name}",
                "allow_http": True,
                "allow_private": ["127.0.0.0/8"],
                "headers": {"X-Process": "${env:FLAGCAST_VAR_PROCESS}"},
                **each,
            }
            for name, each in destinations.items()
        }
        self.configuration.write_text(json.dumps({"sources": {"flipt": {"auth": "none"}}, "destinations": made}))

    def behave(self, **behaviours: Behaviour) -> None:
        """Say what destinations do from now on."""
        self._destinations.ask("/-/behave", {f"/{name}": each for name, each in behaviours.items()})

    def wait_for(self, names: Sequence[str], count: int, timeout: float) -> bool:
        """Wait until so many events were delivered to each destination; in steps that no connection gives up on."""
        asked = {"paths": [f"/{name}" for name in names], "count": count}
        step = 10.0
        return any(
            self._destinations.ask("/-/wait", {**asked, "timeout": min(step, timeout - at * step)})
            for at in range(-int(-timeout // step))
        )

    def arrived(self) -> list[Arrived]:
        """Return every request so far."""
        return msgspec.convert(self._destinations.ask("/-/arrived"), list[Arrived])

    def processors(self) -> tuple[float, float]:
        """Return seconds of processor time: of the functions up to their last poll, of queues and destinations."""
        used = self.queues.processors_used()
        queues = used.pop("")
        return sum(used.values()), queues + self._destinations.ask("/-/processor")

    def left(self) -> int:
        """Return how many tasks are on the queue."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counted = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(each) for each in counted.values())

    def dead_letters(self) -> list[dict[str, str]]:
        """Return the attributes of up to ten dead letters."""
        answer = self.sqs.receive_message(
            QueueUrl=self.dead_url, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        )
        return [
            {name: value["StringValue"] for name, value in each["MessageAttributes"].items()}
            for each in answer.get("Messages", [])
        ]

    def logged(self) -> Iterator[dict[str, Any]]:
        """Go through every line that the functions have written."""
        for log in sorted(self.folder.glob("function-*.log")):
            for line in log.read_text(encoding="utf-8").splitlines():
                if line.startswith("{"):
                    yield json.loads(line)

    @contextmanager
    def functions(self, count: int, module: str = FUNCTION, **environment: str) -> Iterator[None]:
        """Run so many functions side by side, each taken up again when it dies; all have ended on leaving."""
        ended = threading.Event()
        variables = {**self.environment(), **environment}
        places = [_Place(self, module, next(self._numbers), variables, ended) for _ in range(count)]
        threads = [threading.Thread(target=place.keep) for place in places]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for place in places:
                place.end()
            for thread in threads:
                thread.join()

    def environment(self) -> dict[str, str]:
        """Return the environment of a function: template.yaml's, and where queues and table are."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "FLAGCAST_"))},
            **CREDENTIALS,
            "AWS_ENDPOINT_URL_SQS": self.queues.url,
            "AWS_ENDPOINT_URL_DYNAMODB": self._table,
            "FLAGCAST_CONFIG": str(self.configuration),
            "FLAGCAST_QUEUE_URL": self.url,
            "FLAGCAST_DEAD_LETTER_QUEUE_URL": self.dead_url,
            "FLAGCAST_SECRET_PREFIX": "flagcast/test/",
            "FLAGCAST_PARAMETER_PREFIX": "/flagcast/test/",
            "FLAGCAST_STATE_TABLE": TABLE,
            "FLAGCAST_BODIES_BUCKET": "bodies",
            "FLAGCAST_ARCHIVE_BUCKET": "arn:aws:s3:::archive",
            "FLAGCAST_ARCHIVE": "off",
            "FLAGCAST_CIRCUIT_BREAKER": "on",
            "FLAGCAST_TRACK_CHANGES": "on",
            "FLAGCAST_LOG_NAMES": "on",
            "NO_PROXY": "*",
            "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in ("layers/flagcast/python", "functions/deliver")),
        }

    def _create(self, name: str, more: Mapping[str, str]) -> str:
        attributes = {
            "FifoQueue": "true",
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
            "VisibilityTimeout": str(VISIBILITY),
            "MessageRetentionPeriod": str(14 * DAY),
        }
        return str(self.sqs.create_queue(QueueName=name, Attributes={**attributes, **more})["QueueUrl"])


class _Place:
    """Where one function runs, and after it another."""

    def __init__(
        self, deployment: Deployment, module: str, number: int, environment: Mapping[str, str], ended: threading.Event
    ) -> None:
        self._deployment = deployment
        self._module = module
        self._number = number
        self._environment = environment
        self._ended = ended
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        generation = 0
        while process := self._start(generation):
            process.wait()
            generation += 1

    def end(self) -> None:
        with self._lock:
            if self._running is not None:
                self._running.kill()

    def _start(self, generation: int) -> subprocess.Popen[bytes] | None:
        name = f"function-{self._number}-{generation}"
        port = self._deployment.queues.url.rpartition(":")[2]
        with self._lock, (self._deployment.folder / f"{name}.log").open("wb") as log:
            if self._ended.is_set():
                return None
            self._running = subprocess.Popen(
                [sys.executable, "-m", self._module, port, self._deployment.url, name],
                cwd=ROOT, env=dict(self._environment), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
            return self._running


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """Start queues, table and destinations; whatever was started is ended on leaving."""
    with ExitStack() as stack:
        queues = stack.enter_context(served_queues())
        destinations = Served(stack.enter_context(serving("tests.support.destinations")))
        stack.callback(destinations.close)
        running = stack.enter_context(emulator(free_port(), folder))
        create_table(running)
        yield Deployment(folder, queues, running.endpoint, destinations)


def create_table(running: Emulator) -> None:
    """Create the state table as template.yaml does."""
    running.client("dynamodb").create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
