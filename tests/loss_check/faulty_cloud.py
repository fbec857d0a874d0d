"""AWS as the functions see it: every call passes here, and may fail, take effect unheard, or be its caller's last."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.loss_check import setup
from tests.loss_check.archive import ARCHIVE, BUCKET
from tests.loss_check.calls import ACCOUNTANT, CALLS, NAMES
from tests.loss_check.clock import SharedClock
from tests.loss_check.events import NO_EVENT, NOT_ACCEPTED
from tests.loss_check.ledger import Invocation, Ledger
from tests.loss_check.seeded_random import SeededRandom, Strikes
from tests.loss_check.table import Table
from tests.loss_check.target import Targets
from tests.support.simulator import Simulator

FIFO = {
    "FifoQueue": "true",
    "DeduplicationScope": "messageGroup",
    "FifoThroughputLimit": "perMessageGroupId",
    "VisibilityTimeout": "270",
    "MessageRetentionPeriod": str(14 * 86_400),
}
HANG = 0.6
"""Seconds that a call hangs before it takes effect: longer than the functions' patience in a run."""
PATIENCE = 0.3
Reply = tuple[str, Any]


class FaultyCloud:
    """The services of one stack."""

    def __init__(
        self,
        clock: SharedClock,
        dice: SeededRandom,
        strikes: Strikes,
        ledger: Ledger,
        rates: Mapping[str, float],
        slow: float,
        targets: Targets,
    ) -> None:
        self.simulator = Simulator(clock)
        self.dead_url = self._create("dead.fifo", {})
        arn = self.simulator.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]
        redrive = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 1000}
        self.url = self._create("tasks.fifo", {"RedrivePolicy": json.dumps(redrive)})
        self.objects: dict[str, bytes] = {}
        self.bodiless: set[str] = set()
        """Keys of objects that are lost as soon as they are stored."""
        self.processes: dict[int, Invocation | None] = {}
        """The processes that work, each with the invocation it works on if it is one of deliver."""
        self.table: Any = Table()
        self.targets = targets
        self._clock = clock
        self._dice = dice
        self._strikes = strikes
        self._ledger = ledger
        self._rates = rates
        self._slow = slow
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def call(self, pid: int, number: int, service: str, operation: str, arguments: dict[str, Any]) -> Reply | None:
        """Do what a function asks, in a call that has a number; None where there is no one left to answer."""
        if service == ACCOUNTANT:
            self._ledger.unheard.update((pid, each) for each in arguments["calls"])
            return "ok", {}
        if service == "target":
            where = "archive" if arguments.get("Bucket") == BUCKET else "target"
            self.watch(where, json.dumps(arguments, default=str))
            return self.targets.call(pid, number, operation, arguments, self.kill)
        name, asked = self._name(service, operation, arguments), self._ledger.tick()
        fault = self._fault(name, arguments)
        if fault is not None:
            self._strikes.strike(f"{name}: {fault}")
            self.trouble(pid, f"{name}: {fault}")
        match fault:
            case "refused":
                return "error", "InternalFailure"
            case "unreachable":
                return "unreachable", None
            case "killed before":
                self.kill(pid, f"before {name}")
                return None
            case "refused in part":
                return self._in_part(pid, service, operation, arguments)
            case "unprocessed":
                return "ok", {"UnprocessedItems": arguments["RequestItems"]}
            case "late":
                time.sleep(HANG)  # The fault itself: longer than a function waits.
        reply = self._do(pid, service, operation, arguments)
        if name == "dead letter" and reply[0] == "ok":
            for sent in reply[1].get("Successful", []):
                self._ledger.put(sent["MessageId"], asked, pid, number, is_answered=fault is None)
        if fault == "killed after":
            self.kill(pid, f"after {name}")
            return None
        return ("no answer", None) if fault == "answer lost" else reply

    def kill(self, pid: int, why: str) -> None:
        """End a function's process as a lack of memory or of time does."""
        with self._lock:
            if pid not in self.processes:
                return
            invocation = self.processes.pop(pid)
            if invocation is not None:
                invocation.killed_by = why
                invocation.ended_tick = self._ledger.tick()
            os.kill(pid, signal.SIGKILL)

    def begin(self, pid: int, invocation: Invocation | None) -> None:
        if invocation is not None:
            invocation.pid = pid
        with self._lock:
            self.processes[pid] = invocation

    def end(self, pid: int) -> bool:
        """Note that an invocation has ended by itself; tells whether it had not been killed."""
        with self._lock:
            return self.processes.pop(pid, False) is not False

    def trouble(self, pid: int, kind: str) -> None:
        if (invocation := self.processes.get(pid)) is not None:
            invocation.troubles.append(kind)

    def watch(self, where: str, text: str) -> None:
        """Look for what must not be there in something that is stored."""
        found = [each for each in (*setup.CANARIES, NOT_ACCEPTED) if each in text]
        if NO_EVENT in text and where not in ("dead letter", "archive"):
            found.append(NO_EVENT)
        self._ledger.leaks += [f"{each} in a {where}" for each in found]

    def _do(self, pid: int, service: str, operation: str, arguments: dict[str, Any]) -> Reply:
        try:
            match service:
                case "sqs":
                    if operation == "send_message_batch":
                        is_dead = arguments["QueueUrl"] == self.dead_url
                        for entry in arguments["Entries"]:
                            is_archived = json.loads(entry["MessageBody"])["destination"] == ARCHIVE
                            where = "dead letter" if is_dead else "archive" if is_archived else "task"
                            self.watch(where, entry["MessageBody"] + json.dumps(entry.get("MessageAttributes", {})))
                    return "ok", getattr(self.simulator, operation)(**arguments)
                case "dynamodb":
                    self.watch("row", json.dumps(arguments))
                    return "ok", getattr(self.table, operation)(**arguments)
                case "secretsmanager":
                    return "ok", {"SecretString": setup.SECRETS[arguments["SecretId"].removeprefix(setup.PREFIX)]}
                case _:
                    return self._object(operation, arguments)
        except ClientError as error:
            return "error", error.response["Error"]["Code"]

    def _object(self, operation: str, arguments: dict[str, Any]) -> Reply:
        key = arguments["Key"]
        if operation == "put_object":
            self.objects[key] = arguments["Body"]
            self.watch("object", arguments["Body"].decode(errors="replace"))
            return "ok", {}
        if key not in self.objects or key.removeprefix("bodies/") in self.bodiless:
            return "error", "NoSuchKey"
        return "ok", {"Body": self.objects[key]}

    def _in_part(self, pid: int, service: str, operation: str, arguments: dict[str, Any]) -> Reply:
        """Take all but the last entry of a batch."""
        *taken, refused = arguments["Entries"]
        reply: Reply = ("ok", {})
        if taken:
            reply = self._do(pid, service, operation, {**arguments, "Entries": taken})
        if reply[0] == "ok":
            failed = {"Id": refused["Id"], "SenderFault": False, "Code": "InternalError", "Message": "no"}
            reply[1].setdefault("Failed", []).append(failed)
        return reply

    def _name(self, service: str, operation: str, arguments: Mapping[str, Any]) -> str:
        if operation == "send_message_batch":
            return "dead letter" if arguments["QueueUrl"] == self.dead_url else "send"
        return NAMES.get((service, operation), "rest")

    def strike(self, name: str, arguments: Mapping[str, Any]) -> str | None:
        """Return what befalls a call of the operator's, and count it."""
        if (fault := self._fault(name, arguments)) is not None:
            self._strikes.strike(f"{name}: {fault}")
        return fault

    def _fault(self, name: str, arguments: Mapping[str, Any]) -> str | None:
        if not (rate := self._rates.get(name, 0.0)):
            return None
        about = self._about(arguments)
        with self._lock:
            self._asked[name, about] += 1
            count = self._asked[name, about]
        chances = dict.fromkeys(CALLS[name], rate / len(CALLS[name]))
        if "late" in chances:
            chances["late"] *= self._slow
        return self._dice.choose(chances, name, about, count)

    def _about(self, arguments: Mapping[str, Any]) -> str:
        """Say what a call is about by what does not change from run to run."""
        if entries := arguments.get("Entries"):
            first = entries[0]
            if "MessageDeduplicationId" in first:
                return str(first["MessageDeduplicationId"])
            return self._deduplication(first["ReceiptHandle"].partition("#")[0])
        if items := arguments.get("RequestItems"):
            text = json.dumps(items)
            at = text.find("task#")
            return self._deduplication(text[at + 5 : at + 41])
        return str(arguments.get("Key") or arguments.get("SecretId"))

    def _deduplication(self, message_id: str) -> str:
        stored = self.simulator.queue(self.url).messages.get(message_id)
        return stored.deduplication if stored else ""

    def _create(self, name: str, more: Mapping[str, str]) -> str:
        return str(self.simulator.create_queue(QueueName=name, Attributes={**FIFO, **more})["QueueUrl"])
