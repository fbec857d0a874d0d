"""Those who call the functions: API Gateway for the client, the event source mapping, and an operator who redrives."""

import json
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from typing import ClassVar, Protocol

from tests.loss_check import setup
from tests.loss_check.client import Client, request
from tests.loss_check.clock import SharedClock
from tests.loss_check.faulty_cloud import FaultyCloud
from tests.loss_check.ledger import Invocation, Ledger, Letter
from tests.loss_check.plan import Plan
from tests.loss_check.seeded_random import SeededRandom, Strikes
from tests.loss_check.workers import Killed, Place
from tests.support.event_source import EventSource

REDRIVEN = frozenset({"rejected", "gone"})
REDRIVES = 0.3
"""How many of the dead letters that can be are redriven at once."""


class Run(Protocol):
    """The run that they work in, which starts them."""

    plan: Plan
    client: Client
    clock: SharedClock
    cloud: FaultyCloud
    dice: SeededRandom
    strikes: Strikes
    ledger: Ledger
    generation: int

    def add_destination(self) -> None:
        """Deploy the destination that earlier events are replayed to."""


class Caller(ABC):
    """A thread that does what there is to do, and is idle until there is news."""

    news: ClassVar[int] = 0
    changed: ClassVar[threading.Condition] = threading.Condition()
    """While it is held, no one begins anything."""

    def __init__(self, run: Run, place: Place) -> None:
        self.run = run
        self.place = place
        self.over = False
        self.began = 0.0
        """When the work that goes on began, in simulated time; 0 if there is none."""
        self._looked_at = -1

    @classmethod
    def tell(cls) -> None:
        """Let everybody look again."""
        with cls.changed:
            Caller.news += 1
            cls.changed.notify_all()

    @property
    def is_idle(self) -> bool:
        """Return whether there was nothing to do after the last news; it may look again without any."""
        return not self.began and self._looked_at == Caller.news

    def work(self) -> None:
        while not self.over:
            with Caller.changed:
                news, self.began = Caller.news, self.run.clock.now()
            has_acted = self.act()
            with Caller.changed:
                self.began = 0.0
                if has_acted:
                    Caller.tell()
                    continue
                self._looked_at = news
                if Caller.news == news and not self.over:
                    Caller.changed.wait(0.05)

    @abstractmethod
    def act(self) -> bool:
        """Do one thing; returns whether there was something to do."""


class Sender(Caller):
    """Takes the client's requests through ingest."""

    def act(self) -> bool:
        run = self.run
        sending = run.client.next(run.clock.now())
        if sending is None:
            return False
        sending.first_sent = sending.first_sent or run.ledger.tick()
        generation = run.generation
        try:
            answer = self.place.invoke("ingest", request(sending.event), generation)
            status: int | None = answer["statusCode"]
            if status == 200 and json.loads(answer["body"])["event_id"] != sending.event.event_id:
                run.ledger.breaks.append(f"event {sending.event.number} has another id than its body gives it")
        except Killed:
            status = None
        run.client.answered(sending, status, run.clock.now(), generation)
        return True


class Deliverer(Caller):
    """Polls the task queue for deliver, and settles as Lambda does, unless the function's answer is lost."""

    def act(self) -> bool:
        run = self.run
        source = EventSource(run.cloud.simulator, run.cloud.url)
        event = source.poll()
        if event is None:
            return False
        tasks: defaultdict[str, list[str]] = defaultdict(list)
        for each in event["Records"]:
            tasks[setup.task_of(each["body"])].append(each["messageId"])
        invocation = Invocation(tasks, run.clock.now(), run.ledger.tick())
        run.ledger.invocations.append(invocation)
        try:
            answer = self.place.invoke("deliver", event, run.generation, invocation)
        except Killed:
            run.strikes.strike("a function killed")
            return True
        invocation.ended_tick = run.ledger.tick()
        first = event["Records"][0]["attributes"]
        about = first["MessageDeduplicationId"], first["ApproximateReceiveCount"]
        if run.dice.roll("forgotten", *about) < run.plan.forgotten:
            run.strikes.strike("event source: the function's answer is lost")
            invocation.forgotten = True
            invocation.troubles.append("answer lost")
            return True
        source.settle(event, answer)
        return True


class Redriver(Caller):
    """Notes each dead letter, and sends some of them back at once."""

    def __init__(self, run: Run, place: Place) -> None:
        super().__init__(run, place)
        self._known: set[str] = set()

    def act(self) -> bool:
        run = self.run
        queue = run.cloud.simulator.queue(run.cloud.dead_url)
        letters = list(queue.messages.values())
        fresh = [each for each in letters if each.id in run.ledger.puts and each.id not in self._known]
        for stored in fresh:
            self._known.add(stored.id)
            attributes = {name: value["StringValue"] for name, value in stored.attributes.items()}
            task = setup.task_of(stored.body)
            put = run.ledger.puts[stored.id][0]
            reason, status = attributes.get("reason", "queue_net"), attributes.get("status", "")
            of = attributes.get("message_id", "")
            letter = Letter(task, reason, status, stored.sent_at, put.tick, put.pid, stored.id, of)
            run.ledger.letters.append(letter)
            if reason not in REDRIVEN or run.dice.roll("redrive", task, reason) >= REDRIVES:
                continue
            ref = json.loads(stored.body).get("body_ref")
            raw = run.cloud.objects.get(ref, b"")
            asked = {"body": stored.body, "message_id": stored.id, "raw": raw}
            entry = self.place.invoke("redrive", asked, run.generation)
            run.ledger.redriven.add(stored.id)
            run.cloud.simulator.send_message_batch(QueueUrl=run.cloud.url, Entries=[entry])
            queue.messages.pop(stored.id, None)
            run.strikes.strike("redriven")
        return bool(fresh)
