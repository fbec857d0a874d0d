"""One run: events in, through both functions and everything that can go wrong, until nothing is left to do."""

import math
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from msgspec import Struct

from tests.loss_check import setup
from tests.loss_check.callers import Caller, Deliverer, Redriver, Sender
from tests.loss_check.client import Client
from tests.loss_check.clock import SharedClock
from tests.loss_check.events import make
from tests.loss_check.faulty_cloud import PATIENCE, FaultyCloud
from tests.loss_check.ledger import Ledger
from tests.loss_check.plan import Plan
from tests.loss_check.receiver import Receiver
from tests.loss_check.replaying import Replayer
from tests.loss_check.seeded_random import SeededRandom, Strikes
from tests.loss_check.table import Table, moto_table
from tests.loss_check.target import Targets
from tests.loss_check.workers import Place, Workers

REAL_PATIENCE = 0.03
"""Real seconds without news after which time goes on although someone is still at work."""
LONGEST_STEP = 5.0
LONGEST_WORK = 40.0
"""Simulated seconds that anybody's work may take: less than Lambda allows an invocation."""
DOOR = ((100.0, 25.0), (400.0, 200.0), (900.0, 25.0))
"""When the guarded destination refuses connections, and for how long, in each round of 1200 s."""
ROUND = 1200.0


class Result(Struct):
    """What there is to judge."""

    plan: Plan
    ledger: Ledger
    strikes: Strikes
    archived: Mapping[str, list[bytes]]
    """The versions of each object in the archive."""
    left: list[str]
    """Ids of the tasks that were still on the queue when the run ended."""
    log: str
    simulated: float
    real: float


@contextmanager
def laboratory() -> Iterator[tuple[Path, Workers]]:
    """Have the functions' nursery ready, for any number of runs one after the other."""
    folder = Path(tempfile.mkdtemp(prefix="accountant-"))
    SharedClock(folder / "clock")
    environment = {
        "FLAGCAST_CONFIG": str(folder / "flagcast.yaml"),
        "FLAGCAST_SECRET_PREFIX": setup.PREFIX,
        "FLAGCAST_PARAMETER_PREFIX": "/flagcast/test/",
        "FLAGCAST_STATE_TABLE": "state",
        "FLAGCAST_TRACK_CHANGES": "off",
        "FLAGCAST_BODIES_BUCKET": "bodies",
        "FLAGCAST_ARCHIVE_BUCKET": "arn:aws:s3:::archive",
        "FLAGCAST_ARCHIVE": "off",
    }
    try:
        with Workers(folder, environment, PATIENCE) as workers:
            yield folder, workers
    finally:
        shutil.rmtree(folder)


class Run:
    """One run in a laboratory."""

    def __init__(self, plan: Plan, folder: Path, workers: Workers) -> None:
        self.plan = plan
        self.clock = SharedClock(folder / "clock")
        self.dice, self.strikes, self.ledger = SeededRandom(plan.seed), Strikes(), Ledger()
        targets = Targets(
            self.clock, self.dice, self.strikes, self.ledger, plan.scale, lambda pid: workers.generations.get(pid, -1)
        )
        self.cloud = FaultyCloud(self.clock, self.dice, self.strikes, self.ledger, plan.rates, plan.slow, targets)
        self.workers = workers
        self.generation = 0
        self._begin = self.clock.now()
        self._folder = folder
        events = [make(number, self.dice, plan.subjects) for number in range(plan.events)]
        self.cloud.bodiless = {each.event_id for each in events if each.mark == "bodiless"}
        self.client = Client(events, plan.rate, self._begin, self.dice, self.strikes, self.ledger)
        self._middle = self._begin + plan.events / plan.rate / 2
        self._door_is_open = True

    def go(self) -> Result:
        """Run to the end."""
        began = time.monotonic()
        workers, cloud = self.workers, self.cloud
        workers.serve(cloud)
        log_begin = workers.log.stat().st_size
        workers.settings["environment"] |= {
            "FLAGCAST_QUEUE_URL": cloud.url,
            "FLAGCAST_DEAD_LETTER_QUEUE_URL": cloud.dead_url,
        }
        workers.settings["mutation"] = self.plan.mutation
        workers.settings["environment"]["FLAGCAST_ARCHIVE"] = "on" if self.plan.archives else "off"
        workers.settings["environment"]["FLAGCAST_CIRCUIT_BREAKER"] = "on" if self.plan.circuits else "off"
        with moto_table() if self.plan.circuits else nullcontext(Table()) as cloud.table:
            return self._go(began, log_begin)

    def _go(self, began: float, log_begin: int) -> Result:
        workers, cloud = self.workers, self.cloud
        place = tempfile.mkdtemp(dir=self._folder)
        with Receiver(
            Path(place), self.clock, self.dice, self.strikes, self.ledger, self.plan.scale, self.plan.slow, cloud.kill,
            lambda pid: workers.generations.get(pid, -1),
        ) as receiver:  # fmt: skip
            self._receiver = receiver
            shutil.copy(Path(place) / "ca.pem", self._folder / "ca.pem")
            self._deploy(0, setup.FIRST)
            hands: list[Caller] = [Sender(self, Place(workers)) for _ in range(2)]
            hands += [Deliverer(self, Place(workers)) for _ in range(3)]
            hands.append(Redriver(self, Place(workers)))
            self._replayer = Replayer(self, Place(workers), Path(place))
            hands.append(self._replayer)
            self._coordinate(hands, began + self.plan.real_seconds)
        left = [each.body for each in cloud.simulator.queue(cloud.url).messages.values()]
        with workers.log.open() as log:
            log.seek(log_begin)
            text = log.read()
        return Result(
            self.plan,
            self.ledger,
            self.strikes,
            cloud.targets.archive.versions,
            left,
            text,
            self.clock.now() - self._begin,
            time.monotonic() - began,
        )

    def _coordinate(self, hands: list[Caller], until: float) -> None:
        threads = [threading.Thread(target=hand.work) for hand in hands]
        for thread in threads:
            thread.start()
        try:
            news, since = -1, time.monotonic()
            while time.monotonic() < until:
                time.sleep(0.001)  # Between two looks: the hands work meanwhile, up to the deadline above.
                # No one begins to work between the look at who does and the step of the time.
                with Caller.changed:
                    if news != (news := Caller.news):
                        since = time.monotonic()
                    if all(hand.is_idle for hand in hands):
                        if self._is_over():
                            break
                        self._pass_time(math.inf)
                    elif time.monotonic() - since > REAL_PATIENCE:
                        began = min((hand.began for hand in hands if hand.began), default=self.clock.now())
                        self._pass_time(min(LONGEST_STEP, began + LONGEST_WORK - self.clock.now()))
                        since = time.monotonic()
        finally:
            for hand in hands:
                hand.over = True
            for thread in threads:
                thread.join()
            for hand in hands:
                hand.place.close()

    def _is_over(self) -> bool:
        return (
            self.client.is_done and self._replayer.is_done and not self.cloud.simulator.queue(self.cloud.url).messages
        )

    def _pass_time(self, most: float) -> None:
        """Let time go on to when something can happen next."""
        now = self.clock.now()
        moments = [self._door_moves(now)]
        if (due := self.client.next_due) is not None:
            moments.append(due)
        if (due := self._replayer.due) is not None:
            moments.append(due)
        messages = self.cloud.simulator.queue(self.cloud.url).messages
        moments += [each.visible_at for each in list(messages.values()) if each.visible_at > now]
        step = min(min(moments) - now, most)
        if step <= 0:
            return
        self.clock.advance(step + 1e-6)
        now = self.clock.now()
        if self.plan.deploys and self.generation == 0 and now >= self._middle:
            self._deploy(1, setup.SECOND)
        if self._is_door_open(now) != self._door_is_open:
            self._door_is_open = not self._door_is_open
            (self._receiver.open_door if self._door_is_open else self._receiver.close_door)()
        Caller.tell()

    def _is_door_open(self, now: float) -> bool:
        at = (now - self._begin) % ROUND
        return not any(begin <= at < begin + length for begin, length in DOOR)

    def _door_moves(self, now: float) -> float:
        at = (now - self._begin) % ROUND
        moves = sorted(moment for begin, length in DOOR for moment in (begin, begin + length))
        return now - at + next((moment for moment in moves if moment > at), ROUND + moves[0])

    def add_destination(self) -> None:
        """Deploy the destination that earlier events are replayed to."""
        self._deploy(2, setup.THIRD if self.generation else {**setup.FIRST, setup.ADDED: setup.THIRD[setup.ADDED]})

    def _deploy(self, generation: int, filters: Mapping[str, tuple[str, ...]]) -> None:
        setup.write(self._folder / "flagcast.yaml", filters, self._receiver.http, self._receiver.https)
        self.generation = generation
