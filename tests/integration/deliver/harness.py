"""The real handler over simulated queues and a real receiver."""

import itertools
import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

import deliver
from flagcast.edges.aws import client as aws_client
from flagcast.edges.aws.queue import Queue
from flagcast.edges.wiring import deliver_batch, resources
from flagcast.events.event import Event, parse
from flagcast.events.subject import subject
from flagcast.primitives.timestamp import rfc3339
from flagcast.tasks.outgoing_message import Entry
from flagcast.tasks.routing import message_group_id
from flagcast.tasks.task import deduplication_id, encode, event_id, task
from flagcast_cli.local.receiver import Receiver
from tests.support import state_table
from tests.support.captures import captured
from tests.support.event_source import Event as LambdaEvent
from tests.support.event_source import EventSource
from tests.support.fifo import SimulatedClock, Stored
from tests.support.iam.recorded import watched
from tests.support.simulator import Simulator

DAY = 86_400
HOUR = 3_600
FOREVER = 1_000_000.0
INVOCATION = 45.0
"""Seconds, as in template.yaml."""
PREFIX = "flagcast/test/"
TABLE = state_table.TABLE


def bodies(most: int | None = None) -> list[bytes]:
    """Real events, each another."""
    return [each.body for each in captured("flipt-1.61.0/changes")][:most]


class Secrets:
    """Secrets Manager, as far as it is asked; while `down` it cannot be reached."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.down = False
        self.calls = 0

    def get_secret_value(self, **arguments: str) -> dict[str, str]:
        self.calls += 1
        name = arguments["SecretId"].removeprefix(PREFIX)
        if self.down or name not in self.values:
            code = "InternalServiceError" if self.down else "ResourceNotFoundException"
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")
        return {"SecretString": self.values[name]}


class Context:
    """Lambda's context with the timeout of template.yaml."""

    def __init__(self, seconds: float = INVOCATION) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return round((self._end - time.monotonic()) * 1000)


class Stack:
    """The queues with the settings of template.yaml, the function, and a destination to deliver to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
        self.receiver = receiver
        self.folder = folder
        self.clock = SimulatedClock()
        self.simulator = Simulator(self.clock)
        self.secrets = Secrets()
        self.random = 0.5
        self._waiting = threading.Lock()
        self._numbers = itertools.count()
        self.dead_url = self._create("dead.fifo", {})
        arn = self.simulator.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]
        redrive = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 1000}
        self.url = self._create("tasks.fifo", {"RedrivePolicy": json.dumps(redrive)})
        self.source = EventSource(self.simulator, self.url)
        for name, value in {
            "FLAGCAST_CONFIG": str(folder / "flagcast.yaml"),
            "FLAGCAST_QUEUE_URL": self.url,
            "FLAGCAST_DEAD_LETTER_QUEUE_URL": self.dead_url,
            "FLAGCAST_SECRET_PREFIX": PREFIX,
            "FLAGCAST_PARAMETER_PREFIX": "/flagcast/test/",
            "FLAGCAST_STATE_TABLE": TABLE,
            "FLAGCAST_BODIES_BUCKET": "bodies",
            "FLAGCAST_ARCHIVE_BUCKET": "arn:aws:s3:::archive",
            "FLAGCAST_ARCHIVE": "off",
            # A destination that fails is what most tests are about; those of the circuits turn them on.
            "FLAGCAST_CIRCUIT_BREAKER": "off",
            "FLAGCAST_TRACK_CHANGES": "on",
            "FLAGCAST_LOG_NAMES": "on",
        }.items():
            monkeypatch.setenv(name, value)
        began = self.clock.now()

        def monotonic() -> float:
            return time.monotonic() + self.clock.now() - began

        # What is kept ages by the simulated clock; deadlines of calls and attempts are real.
        monkeypatch.setattr(resources, "time", SimpleNamespace(time=self.clock.now, monotonic=monotonic))
        monkeypatch.setattr(deliver_batch, "CLOCK", SimpleNamespace(now=self.clock.now, monotonic=time.monotonic))
        monkeypatch.setattr(deliver_batch, "time", SimpleNamespace(sleep=self.wait))
        monkeypatch.setattr(deliver_batch, "random", SimpleNamespace(random=lambda: self.random))
        self.state = create_table()
        clients = {"sqs": self.simulator, "secretsmanager": self.secrets, "dynamodb": self.state}
        monkeypatch.setattr(resources, "client", watched(clients.__getitem__, "deliver"))

    def configure(
        self, destinations: Mapping[str, Mapping[str, Any]], templates: Mapping[str, str] | None = None
    ) -> None:
        """Deploy a configuration: the function begins again with it. A `path` becomes a URL of the receiver's."""
        made: dict[str, Any] = {}
        for name, each in destinations.items():
            path = each.get("path", f"/{name}")
            is_aws = str(each.get("url", "")).startswith("arn:")
            base: dict[str, Any] = {} if is_aws else {"allow_private": ["127.0.0.0/8"]}
            if "url" not in each:
                base |= {"url": self.receiver.url + path, "allow_http": True}
            made[name] = {**base, **{key: value for key, value in each.items() if key != "path"}}
        document = {"sources": {"flipt": {"auth": "none", "environment": "test"}}, "destinations": made}
        self.write(json.dumps(document), templates)

    def write(self, text: str, templates: Mapping[str, str] | None = None) -> None:
        (self.folder / "flagcast.yaml").write_text(text, encoding="utf-8")
        (self.folder / "templates").mkdir(exist_ok=True)
        for name, template in (templates or {}).items():
            (self.folder / "templates" / name).write_text(template, encoding="utf-8")
        forget()

    def put(self, destination: str, raw: bytes | None = None, group: str | None = None) -> Stored:
        """Put a task on the queue as ingest does; another event in a group of its own unless said."""
        number = next(self._numbers)
        raw = bodies()[number % len(bodies())] if raw is None else raw
        made = task(event_id("flipt", raw, str(number)), "flipt", destination, rfc3339(self.clock.now()), raw)
        return self.put_text(encode(made), made.id if group is None else group, made.id)

    def put_in_order(self, destination: str, raw: bytes) -> Stored:
        """Put a task into the group that its subject gives it."""
        event = parse(raw)
        assert isinstance(event, Event)
        return self.put(destination, raw, message_group_id(destination, "subject", subject(event), ""))

    def put_text(self, text: str, group: str = "group", name: str = "") -> Stored:
        entry = Entry(text, deduplication_id(group), deduplication_id(name or text))
        Queue(self.simulator, self.url).send([entry], FOREVER)
        return list(self.waiting().values())[-1]

    def deliver(self, seconds: float = INVOCATION) -> list[str] | None:
        """Run one batch through the handler and settle it as Lambda does; returns what stayed, None without a batch."""
        event = self.source.poll()
        if event is None:
            return None
        answer = self.invoke(event, seconds)
        self.source.settle(event, answer)
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def invoke(self, event: LambdaEvent, seconds: float = INVOCATION) -> dict[str, Any]:
        return deliver.handler(event, Context(seconds))

    def wait(self, seconds: float) -> None:
        """Let simulated time pass; who waits at the same time waits together."""
        until = self.clock.now() + seconds
        with self._waiting:
            self.clock.advance(max(until - self.clock.now(), 0))

    def rows(self) -> dict[str, dict[str, str]]:
        """What stands in the state table, by key, in DynamoDB's numbers and words."""
        items = self.state.scan(TableName=TABLE)["Items"]
        flat = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
        return {each.pop("key"): each for each in flat}

    def waiting(self) -> dict[str, Stored]:
        return self.simulator.queue(self.url).messages

    def delay(self, message: Stored) -> float:
        """How long from now until the message can be seen again."""
        return round(self.waiting()[message.id].visible_at - self.clock.now(), 3)

    def dead_letters(self) -> list[Stored]:
        return list(self.simulator.queue(self.dead_url).messages.values())

    def attributes(self) -> dict[str, str]:
        """The attributes of the only dead letter."""
        (letter,) = self.dead_letters()
        return {name: value["StringValue"] for name, value in letter.attributes.items()}

    def lines(self, capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
        """What the function has logged since last asked."""
        return [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    def _create(self, name: str, more: Mapping[str, str]) -> str:
        attributes = {
            "FifoQueue": "true",
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
            "VisibilityTimeout": "270",
            "MessageRetentionPeriod": str(14 * DAY),
        }
        return str(self.simulator.create_queue(QueueName=name, Attributes={**attributes, **more})["QueueUrl"])


def create_table() -> Any:
    """Create the state table as template.yaml does, and return its client."""
    return state_table.create(aws_client.client("dynamodb"))


def forget() -> None:
    """Let the next invocation begin as a new process does."""
    resources.forget()
    deliver_batch.attempts.cache_clear()
