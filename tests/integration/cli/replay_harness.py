"""A stack with an archive, for `flagcast replay`: its queues simulated, its bucket moto's."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from flagcast.archive.record import Key, encode, record_of
from flagcast.edges.aws import client as aws_client
from flagcast.edges.runtime.telemetry import Telemetry
from flagcast.events.event import Event, Origin, parse
from flagcast.primitives.timestamp import rfc3339
from flagcast.tasks.task import Task, decode, event_id, task
from flagcast_cli.console import CommandError
from flagcast_cli.main import app
from flagcast_cli.replay import command
from tests.integration.cli.dlq_harness import Dlq
from tests.integration.cli.ledger_harness import DELIVER, INGEST
from tests.support.fifo import Stored

ARCHIVE = "archive"
CONFIGURATION = """
sources: {flipt: {auth: none, environment: production}}
destinations:
  chat: {url: "https://hooks.example.com/chat"}
  later: {url: "https://hooks.example.com/later"}
  line: {url: "https://hooks.example.com/line", ordering: destination}
  loose: {url: "https://hooks.example.com/loose", ordering: none}
  slow: {url: "https://hooks.example.com/slow", rate_limit: 2/s}
  resting: {url: "https://hooks.example.com/resting", paused: true}
  rules: {url: "https://hooks.example.com/rules", events: ["rule:*"]}
  live: {url: "https://hooks.example.com/live", when: not event.is_replay}
  broken: {url: "ftp://nowhere"}
"""


class Kept:
    """One event of the archive: its task for the archive, and its key."""

    def __init__(self, carried: Task, key: Key) -> None:
        self.task = carried
        self.key = key

    @property
    def id(self) -> str:
        return self.task.event_id


class ReplayStack:
    """The queues and the log of the dead letters' harness, and a bucket."""

    def __init__(self, dlq: Dlq, s3: Any) -> None:
        self.dlq = dlq
        self.clock = dlq.clock
        self.s3 = s3
        dlq.config.write_text(CONFIGURATION)
        dlq.log()
        dlq.outputs["ArchiveBucketName"] = ARCHIVE
        dlq.clients["s3"] = s3
        self._number = 0

    def run(self, *words: str) -> int:
        """Run `flagcast replay` and return its exit code."""
        code = app(["replay", *words], result_action="return_value")
        assert isinstance(code, int)
        return code

    def keep(self, key: str = "a", ago: float = 3600, *, raw: bytes | None = None, source: str = "flipt") -> Kept:
        """Put an event into the archive that was accepted so many seconds ago, each another one."""
        self._number += 1
        event = {"type": "flag", "action": "updated", "payload": {"key": key, "n": self._number}}
        raw = json.dumps(event).encode() if raw is None else raw
        received_at = rfc3339(self.clock.now() - ago)
        made = task(event_id(source, raw), source, "flagcast-archive", received_at, raw)
        record = record_of(made, raw)
        assert record.key is not None
        self.s3.put_object(Bucket=ARCHIVE, Key=str(record.key), Body=encode(record))
        return Kept(made, record.key)

    def log_accepted(self, kept: Kept, *destinations: str, ago: float = 3600) -> None:
        """Log that ingest accepted an event for destinations."""
        at = self.clock.now() - ago
        origin = Origin(kept.id, kept.task.source, received_at=kept.task.received_at)
        event = parse(kept.task.raw, origin)
        assert isinstance(event, Event)
        told = Telemetry(lambda: at, "flagcast", lambda line: self.dlq.logs.put(INGEST, at, line))
        told.accepted(kept.task.source, kept.id, event, list(destinations), 0.02)

    def log_attempt(self, kept: Kept, destination: str, outcome: str = "delivered", ago: float = 3600) -> None:
        """Log what came of a delivery."""
        line = {
            "event": "delivery.attempted",
            "event_id": kept.id,
            "destination": destination,
            "outcome": outcome,
            "message_id": f"m-{kept.id}",
        }
        self.dlq.logs.put(DELIVER, self.clock.now() - ago, json.dumps(line))

    def queued(self) -> list[Stored]:
        """Return the messages on the task queue, as SQS numbered them."""
        return sorted(self.dlq.tasks(), key=lambda each: each.sequence)

    def tasks(self) -> list[Task]:
        """Return what they carry."""
        return [task_in(each) for each in self.queued()]

    def ids(self) -> list[str]:
        """Return the ids of the events on the task queue, in order."""
        return [each.event_id for each in self.tasks()]

    def stop_at(self, step: str, number: int, raising: type[BaseException]) -> None:
        """End the process before or after the send of a number, counted from 1."""
        count = 0

        def at(_: int, operation: str, *__: Any) -> None:
            nonlocal count
            count += operation == "send_message_batch"
            if count == number and operation == "send_message_batch":
                raise raising

        setattr(self.dlq.client, step, at)


def task_in(stored: Stored) -> Task:
    """Read a message's task."""
    read = decode(stored.body)
    assert isinstance(read, Task)
    return read


@pytest.fixture
def replays(dlq: Dlq, aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> ReplayStack:
    client = aws_client.client("s3")
    client.create_bucket(Bucket=ARCHIVE, CreateBucketConfiguration={"LocationConstraint": client.meta.region_name})
    client.create_bucket(Bucket="bodies", CreateBucketConfiguration={"LocationConstraint": client.meta.region_name})
    client.put_bucket_versioning(Bucket=ARCHIVE, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(command, "time", SimpleNamespace(time=dlq.clock.now))
    return ReplayStack(dlq, client)


def of_group(stored: list[Stored]) -> dict[str, list[str]]:
    """Return the event ids of each message group, in order."""
    found: dict[str, list[str]] = {}
    for each in stored:
        found.setdefault(each.group, []).append(task_in(each).event_id)
    return found


def refusal(stack: ReplayStack, *words: str) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(CommandError) as raised:
        stack.run(*words)
    return str(raised.value), raised.value.next_steps
