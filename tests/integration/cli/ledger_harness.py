"""A stack's log groups as FilterLogEvents pages them, written by the functions' own telemetry."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from msgspec import structs

from flagcast.edges.aws.queue import Queue
from flagcast.edges.runtime.telemetry import Telemetry
from flagcast.events.event import Event
from flagcast.tasks.dead_letter import dead_letter
from flagcast.tasks.outcomes import Decision, GiveUp, Outcome
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import task
from flagcast_cli.history import command, options
from flagcast_cli.ledger import stack_log
from flagcast_cli.main import app
from flagcast_cli.stack.account import Account
from tests.support.fifo import SimulatedClock
from tests.support.simulator import Simulator
from tests.unit.builders import RAW, RECEIVED_AT, changed, message

FOREVER = 1_000_000_000.0
NOW = 1_800_000_000.0
"""2027-01-15T08:00:00Z."""
INGEST, DELIVER = "/aws/lambda/flagcast-ingest", "/aws/lambda/flagcast-deliver"
ARN = "arn:aws:cloudformation:eu-west-1:123456789012:stack/flagcast/0a1b2c3d"
FLAG = {"key": "new-checkout", "name": "New checkout", "namespace_key": "production", "enabled": False}


class Logs:
    """CloudWatch Logs: groups of events, each page with as many as `page` says, and errors to come first."""

    def __init__(self) -> None:
        self.groups: dict[str, list[dict[str, Any]]] = {INGEST: [], DELIVER: []}
        self.page = 10_000
        self.empty_pages = 0
        self.errors: list[Exception] = []
        self.asked: list[dict[str, Any]] = []

    def put(self, group: str, at: float, text: str, stream: str = "one") -> None:
        number = sum(map(len, self.groups.values()))
        entry = {"eventId": f"{number:056}", "logStreamName": stream, "timestamp": int(at * 1000), "message": text}
        self.groups[group].append(entry)

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self.errors:
            raise self.errors.pop(0)
        group = asked["logGroupName"]
        if group not in self.groups:
            raise refused("ResourceNotFoundException")
        there = sorted(
            (each for each in self.groups[group] if each["timestamp"] >= asked["startTime"]),
            key=lambda each: each["timestamp"],
        )
        # The first pages are empty, as AWS's can be.
        number = int(asked.get("nextToken", "0"))
        begin = max(number - self.empty_pages, 0) * self.page
        found = [] if number < self.empty_pages else there[begin : begin + self.page]
        more = number < self.empty_pages or begin + self.page < len(there)
        return {"events": found, **({"nextToken": str(number + 1)} if more else {})}


class Counted:
    """A client of SQS that counts how often letters are received, and may be denied."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.received = 0
        self.denied = False

    def __getattr__(self, operation: str) -> Any:
        if self.denied:
            raise refused("AccessDenied")
        self.received += operation == "receive_message"
        return getattr(self._simulator, operation)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "FilterLogEvents")


class LedgerStack:
    """The stack `flagcast`, what its functions log, and its operator."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.logs = Logs()
        self.arn = ARN
        self.outputs = {"IngestLogGroupName": INGEST, "DeliverLogGroupName": DELIVER}
        self.queues = Simulator(clock)
        for name, output in (("dead.fifo", "DeadLetterQueueUrl"), ("tasks.fifo", "TaskQueueUrl")):
            made = self.queues.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
            self.outputs[output] = str(made["QueueUrl"])
        self.sqs = Counted(self.queues)
        self.parameters = {"LogRetentionDays": "30"}

    def run(self, *words: str) -> int:
        """Run a command and return its exit code."""
        code = app([*words], result_action="return_value")
        assert isinstance(code, int)
        return code

    def accept(self, number: int, at: float, destinations: Sequence[str], event: Event | None = None) -> str:
        """Log that an event was accepted; returns its id."""
        return self.accept_as(id_of(number), at, destinations, event)

    def accept_as(self, event_id: str, at: float, destinations: Sequence[str], event: Event | None = None) -> str:
        """Log that an event of this id was accepted; returns the id."""
        self._telemetry(INGEST, at).accepted("flipt", event_id, event or turned_on(), list(destinations), 0.02)
        return event_id

    def attempt(
        self,
        number: int,
        at: float,
        destination: str,
        outcome: Outcome | None,
        decision: Decision,
        attempt: int = 1,
        gives_up_at: float | None = None,
    ) -> None:
        """Log what came of a delivery."""
        self.attempt_as(id_of(number), at, destination, outcome, decision, attempt, gives_up_at)

    def attempt_as(
        self,
        event_id: str,
        at: float,
        destination: str,
        outcome: Outcome | None,
        decision: Decision,
        attempt: int = 1,
        gives_up_at: float | None = None,
    ) -> None:
        """Log what came of a delivery of the event of this id."""
        told = self._telemetry(DELIVER, at)
        told.attempted(received(event_id, destination, at, attempt), outcome, decision, attempt, 0.051, gives_up_at)

    def bury(self, number: int, destination: str) -> None:
        """Put a delivery's dead letter into its queue."""
        letter = dead_letter(
            received(id_of(number), destination, self.clock.now(), 1), GiveUp("rejected", "no", 404), 1
        )
        Queue(self.queues, self.outputs["DeadLetterQueueUrl"]).send([letter], FOREVER)

    def empty(self) -> None:
        """Empty the dead-letter queue."""
        self.queues.queue(self.outputs["DeadLetterQueueUrl"]).messages.clear()

    def _telemetry(self, group: str, at: float) -> Telemetry:
        return Telemetry(lambda: at, "flagcast", lambda line: self.logs.put(group, at, line), names=True)

    def describe_stacks(self, **arguments: str) -> dict[str, Any]:
        if arguments["StackName"] != "flagcast":
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        return {"Stacks": [{"StackId": self.arn, "Outputs": outputs, "Parameters": parameters}]}


def id_of(number: int) -> str:
    """Return the id of the event of a number: its beginning names it."""
    return f"evt_{number:08x}{number:024x}"


def turned_on() -> Event:
    """Return the event that ada turned a flag on."""
    return changed("flag", FLAG, {**FLAG, "enabled": True})


def received(event_id: str, destination: str, at: float, receives: int) -> Message:
    carried = task(event_id, "flipt", destination, RECEIVED_AT, RAW)
    made = message(carried, name=f"message-{event_id}-{destination}", receives=receives)
    return structs.replace(made, sent_at=at - 1)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LedgerStack:
    clock = SimulatedClock(NOW)
    stack = LedgerStack(clock)
    formation = SimpleNamespace(describe_stacks=stack.describe_stacks)
    clients = {"cloudformation": formation, "logs": stack.logs, "sqs": stack.sqs}
    monkeypatch.setattr(Account, "session", lambda _: SimpleNamespace(client=clients.__getitem__))
    for module in (command, options, stack_log):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=clock.now, sleep=clock.advance))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return stack
