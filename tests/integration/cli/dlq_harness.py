"""A stack's queues in memory, for `flagcast dlq`, and calls that go wrong."""

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest
import requests
from botocore.exceptions import ClientError

from flagcast.edges.aws.queue import Queue
from flagcast.primitives.timestamp import rfc3339
from flagcast.tasks.dead_letter import dead_letter, invalid_event
from flagcast.tasks.outcomes import GiveUp, Reason
from flagcast.tasks.outgoing_message import Entry
from flagcast.tasks.received_message import read_record
from flagcast.tasks.task import Task, claim_check, encode, event_id, group_id, task
from flagcast_cli.dlq.command import app
from flagcast_cli.ledger import stack_log
from flagcast_cli.stack import deployed_configuration, queues
from flagcast_cli.stack.account import Account
from tests.integration.cli.ledger_harness import DELIVER, INGEST, Logs
from tests.support.fifo import SimulatedClock, Stored
from tests.support.simulator import Simulator

FOREVER = 1_000_000_000.0
CONFIGURATION = """
sources: {flipt: {auth: none}}
destinations:
  chat: {url: "https://hooks.example.com/${secret:canary-reference}"}
  incident-desk: {url: "https://hooks.example.com/desk"}
  team-chat: {url: "https://hooks.example.com/team"}
  loose: {url: "https://hooks.example.com/loose", ordering: none}
  broken: {url: "ftp://nowhere", ordering: destination}
"""


class Killed(BaseException):
    """The process is no more: nothing it would still do is done."""


class Client:
    """The simulator's client, of which any call can be made to go wrong."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._lock = threading.Lock()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[int, str, dict[str, Any]], dict[str, Any] | None] = lambda *_: None
        self.after: Callable[[int, str], None] = lambda *_: None

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**arguments: Any) -> dict[str, Any]:
            with self._lock:
                number = len(self.calls)
                self.calls.append((operation, arguments))
                answer = self.before(number, operation, arguments)
                if answer is None:
                    answer = getattr(self._simulator, operation)(**arguments)
                self.after(number, operation)
                return answer

        return call

    def recover(self) -> None:
        self.calls = []
        self.before = lambda *_: None
        self.after = lambda *_: None


def refused(code: str = "InternalError") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "canary-in-an-error-message"}}, "Operation")


class Bucket:
    """S3, as far as it is asked."""

    class NoSuchKey(Exception):
        pass

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: list[str] = []
        self.down = False
        self.exceptions = SimpleNamespace(NoSuchKey=self.NoSuchKey)

    def get_object(self, **arguments: str) -> dict[str, Any]:
        self._answer()
        if arguments["Key"] not in self.objects:
            raise self.NoSuchKey
        return {"Body": io.BytesIO(self.objects[arguments["Key"]])}

    def put_object(self, **arguments: Any) -> None:
        self._answer()
        self.written.append(arguments["Key"])
        self.objects[arguments["Key"]] = arguments["Body"]

    def _answer(self) -> None:
        if self.down:
            raise refused("SlowDown")


class DeployedLayer:
    """Lambda, and the address of a layer's content: the stack runs with the configuration of the test."""

    RequestException = requests.RequestException

    def __init__(self, configuration: Path) -> None:
        self.configuration = configuration
        self.layers = ["arn:aws:lambda:eu-west-1:123456789012:layer:flagcast-code:3",
                       "arn:aws:lambda:eu-west-1:123456789012:layer:flagcast-config:7"]  # fmt: skip
        self.denied = False

    def describe_stack_resources(self, **_: str) -> dict[str, Any]:
        return {"StackResources": [{"LogicalResourceId": "DeliverFunction", "PhysicalResourceId": "deliver"}]}

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return {"Layers": [{"Arn": each} for each in self.layers]}

    def get_layer_version(self, **asked: Any) -> dict[str, Any]:
        if self.denied:
            raise refused("AccessDeniedException")
        assert asked == {"LayerName": "flagcast-config", "VersionNumber": 7}
        return {"Content": {"Location": "https://layers.example.com/canary-in-a-signed-link"}}

    def get(self, url: str, timeout: float) -> Any:
        archive = io.BytesIO()
        with ZipFile(archive, "w") as made:
            if self.configuration.exists():
                made.write(self.configuration, "flagcast.yaml")
        return SimpleNamespace(content=archive.getvalue(), raise_for_status=lambda: None)


class Dlq:
    """The two queues with the settings of template.yaml, and the command over them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = SimulatedClock()
        self.simulator = Simulator(self.clock)
        self.client = Client(self.simulator)
        self.bucket = Bucket()
        self.config = folder / "flagcast.yaml"
        self.config.write_text(CONFIGURATION)
        self._monkeypatch = monkeypatch
        self._number = 0
        self.dead_url = self._create("dead.fifo", {})
        dead = self.simulator.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]
        policy = json.dumps({"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 2})
        self.url = self._create("tasks.fifo", {"RedrivePolicy": policy})
        self.outputs = {
            "DeadLetterQueueUrl": self.dead_url,
            "TaskQueueUrl": self.url,
            "BodiesBucketName": "bodies",
        }
        self.layer = DeployedLayer(self.config)
        self.logs = Logs()
        formation = SimpleNamespace(
            describe_stacks=self._describe_stacks, describe_stack_resources=self.layer.describe_stack_resources
        )
        self.clients: dict[str, Any] = {
            "sqs": self.client, "cloudformation": formation, "s3": self.bucket, "lambda": self.layer, "logs": self.logs,
        }  # fmt: skip
        monkeypatch.setattr(deployed_configuration, "requests", self.layer)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.setattr(Account, "session", lambda account: SimpleNamespace(client=self.clients.__getitem__))
        self.while_waiting: Callable[[], None] = lambda: None
        for module in (queues, stack_log):
            monkeypatch.setattr(module, "time", SimpleNamespace(time=self.clock.now, sleep=self._sleep))

    def run(self, *words: str) -> int:
        """Run the command and return its exit code."""
        more = ["--config", str(self.config)] if words[0] == "redrive" else []
        code = app([*words, *more], result_action="return_value")
        assert isinstance(code, int)
        return code

    def log(self) -> None:
        """Have the functions' log groups, which the stack of most tests lacks."""
        self.outputs |= {"IngestLogGroupName": INGEST, "DeliverLogGroupName": DELIVER}

    def accepted(self, made: Task, title: str | None = None) -> None:
        """Log that ingest accepted a task's event."""
        line = {"event": "event.accepted", "event_id": made.event_id, "source": "flipt", "type": "flag",
                "action": "updated", "destinations": [made.destination], "title": title}  # fmt: skip
        self.logs.put(INGEST, self.clock.now(), json.dumps(line))

    def attempted(self, made: Task, outcome: str, message: str, **more: Any) -> None:
        """Log that deliver attempted a task."""
        line = {"event": "delivery.attempted", "event_id": made.event_id, "destination": made.destination,
                "outcome": outcome, "message_id": message, "attempt": 1, "receives": 1, **more}  # fmt: skip
        self.logs.put(DELIVER, self.clock.now(), json.dumps(line))

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.while_waiting()

    def answer(self, text: str) -> None:
        """Sit at the terminal with this on the keyboard."""
        keyboard = io.StringIO(text)
        keyboard.isatty = lambda: True  # type: ignore[method-assign]  # what a terminal says
        self._monkeypatch.setattr("sys.stdin", keyboard)

    def ingest(self, destination: str, key: str = "a", *, group: str | None = None, **wire: Any) -> Task:
        """Put a task on the task queue as ingest does, each another event."""
        self._number += 1
        event = {"type": "flag", "action": "updated", "payload": {"key": key, "n": self._number}, **wire}
        raw = json.dumps(event).encode()
        made = task(event_id("flipt", raw), "flipt", destination, rfc3339(self.clock.now()), raw)
        self.send(self.url, Entry(encode(made), group or group_id(destination, key), made.id))
        return made

    def die(
        self,
        destination: str,
        key: str = "a",
        reason: Reason = "rejected",
        detail: str = "no",
        *,
        status: int = 422,
        apart: bool = False,
        **wire: Any,
    ) -> Task:
        """Have a task accepted, received and given up."""
        made = self.ingest(destination, key, **wire)
        (stored,) = self.simulator.take(self.url, 1)
        if apart:
            self.bucket.objects[f"bodies/{made.event_id}"] = made.raw
            made = claim_check(made)
        record = {
            "messageId": stored.id,
            "receiptHandle": stored.receipt,
            "body": encode(made),
            "attributes": {
                "MessageGroupId": stored.group,
                "SequenceNumber": str(stored.sequence),
                "ApproximateReceiveCount": "1",
                "SentTimestamp": str(round(stored.sent_at * 1000)),
                "ApproximateFirstReceiveTimestamp": "0",
            },
        }
        self.send(self.dead_url, dead_letter(read_record(record), GiveUp(reason, detail, status), 1))
        self.simulator.queue(self.url).delete(stored.receipt)
        return made

    def die_by_the_net(self, destination: str, count: int) -> None:
        """Have tasks of one group received until the queue's own net takes them."""
        for _ in range(count):
            self.ingest(destination)
        while self.tasks():
            self.simulator.take(self.url, 10)
            self.clock.advance(271)

    def not_an_event(self) -> str:
        raw = b'{"type": "flag"}'
        identity = event_id("flipt", raw)
        self.send(self.dead_url, invalid_event(identity, "flipt", rfc3339(self.clock.now()), raw, "no action"))
        return identity

    def put(self, body: str, **attributes: str) -> None:
        """Put anything into the dead-letter queue."""
        self._number += 1
        self.send(self.dead_url, Entry(body, f"by-hand-{self._number}", f"by-hand-{self._number}", attributes))

    def send(self, url: str, entry: Entry) -> None:
        Queue(self.simulator, url).send([entry], FOREVER)

    def tasks(self) -> list[Stored]:
        return list(self.simulator.queue(self.url).messages.values())

    def letters(self) -> list[Stored]:
        return list(self.simulator.queue(self.dead_url).messages.values())

    def held(self) -> list[Stored]:
        return [each for each in self.letters() if each.visible_at > self.clock.now()]

    def names(self, messages: list[Stored]) -> list[str]:
        return [json.loads(each.body)["id"] for each in messages]

    def _describe_stacks(self, **arguments: str) -> dict[str, Any]:
        if arguments["StackName"] != "flagcast":
            raise refused("ValidationError")
        return {
            "Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]}]
        }

    def _create(self, name: str, more: dict[str, str]) -> str:
        attributes = {
            "FifoQueue": "true",
            "DeduplicationScope": "messageGroup",
            "VisibilityTimeout": "270",
            "MessageRetentionPeriod": str(14 * 86_400),
        }
        return str(self.simulator.create_queue(QueueName=name, Attributes={**attributes, **more})["QueueUrl"])


@pytest.fixture
def dlq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dlq:
    return Dlq(tmp_path, monkeypatch)
