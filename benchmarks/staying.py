"""How long a delivery can wait: the product's own batch over one message group and a simulated clock."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct, structs

from benchmarks.markdown import table
from flagcast.config.model import Destination
from flagcast.config.secret_references import Text
from flagcast.delivery.batch_processor import BATCH_SIZE, BatchProcessor
from flagcast.delivery.flow_control import FlowControl
from flagcast.delivery.retry_schedule import LONGEST_STAY, MOST_RECEIVES
from flagcast.errors import FlagcastError
from flagcast.primitives.duration import DAY, HOUR
from flagcast.primitives.rate import Rate
from flagcast.tasks.outcomes import Answered, Attempted, CircuitOpen, Decision, GiveUp, Outcome, Paused, RetryIn
from flagcast.tasks.progress import Progress
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import task

GROUP = 30
BACKLOG = 100_000
BEGIN = float(DAY)
TASK = task("evt_1", "flipt", "d", "", b"{}")
WELL, ILL = Answered(200), Answered(500)


class Stay(Struct):
    """What became of one task until it left the queue after so many seconds; `ends` is a reason or "delivered"."""

    receives: int = 0
    deferrals: int = 0
    seconds: float = 0
    ends: str = "delivered"


class MessageGroup:
    """One message group, received ten at a time as soon as its first task is visible; every edge of the batch is this.

    `groups` is how many message groups take slots, each one at a time; this is the last of them.
    """

    def __init__(self, answer: Callable[[float], Outcome], rate: str | None, size: int, groups: int) -> None:
        self.time = BEGIN
        self.answer = answer
        self.groups = groups
        self.slot = -math.inf
        self.rows: dict[str, Progress] = {}
        self.stays = {str(at): Stay() for at in range(size)}
        self.destination = Destination(url=Text(""), rate_limit=Rate.parse(rate) if rate else None)
        self.gates = FlowControl(self, self, self, self, self.wait)

    def run(self) -> list[Stay]:
        """Deliver until the queue is empty. Every delay is at its shortest, which takes the most receives."""
        batch = BatchProcessor(self, self, self.dead_letter, self, self, self, lambda: 0.0)
        waiting = [Message(name, "", "", "one", "", 0, BEGIN, TASK) for name in self.stays]
        while waiting:
            received = [structs.replace(each, receives=each.receives + 1) for each in waiting[:BATCH_SIZE]]
            self.seen_again = self.time
            staying = set(batch.run(received, math.inf))
            for each in received:
                self.stays[each.id].receives = each.receives
                self.stays[each.id].seconds = self.time - BEGIN
            waiting = [each for each in received if each.id in staying] + waiting[BATCH_SIZE:]
            self.time = self.seen_again
        return list(self.stays.values())

    # The clock.

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds

    # What makes the attempts.

    def policy(self, message: Message) -> Destination:
        return self.destination

    def make(self, message: Message, progress: Progress) -> Outcome:
        return self.gates.through("d", self.destination, progress, lambda: self.answer(self.time - BEGIN))

    def guard(self, destination: str, attempt: Callable[[], Outcome]) -> Outcome:
        return attempt()

    def take_slot(self, destination: str, interval: float) -> float:
        """Take the next slot, behind the one of each other group."""
        ahead = self.groups * interval
        self.slot = max(self.slot + ahead, self.time) if self.slot > 0 else self.time + ahead - interval
        return self.slot

    def rest(self, destination: str, until: float) -> None:
        pass

    def rests_until(self, destination: str) -> float:
        return 0

    # The queues and the state table.

    def delay(self, message: Message, seconds: int) -> None:
        self.seen_again = self.time + seconds

    def hand_back(self, messages: Sequence[Message]) -> None:
        pass

    def delete(self, messages: Sequence[Message]) -> None:
        pass

    def dead_letter(self, message: Message, given_up: GiveUp, attempts: int) -> None:
        self.stays[message.id].ends = given_up.reason

    def read(self, message_ids: Sequence[str]) -> Mapping[str, Progress]:
        return {name: self.rows[name] for name in message_ids if name in self.rows}

    def write(self, rows: Mapping[str, Progress], forgotten: Collection[str] = (), *, insists: bool = False) -> None:
        self.rows.update(rows)

    # The journal.

    def attempted(
        self,
        message: Message,
        outcome: Outcome | None,
        decision: Decision,
        attempts: int,
        seconds: float,
        gives_up_at: float | None,
    ) -> None:
        if isinstance(decision, RetryIn) and not isinstance(outcome, Attempted):
            self.stays[message.id].deferrals += 1

    def broke(self, error: BaseException) -> None:
        raise error

    def queue_failed(self, action: str, error: FlagcastError) -> None:
        raise error

    def state_failed(self, action: str, error: FlagcastError) -> None:
        raise error


def held(*spells: tuple[float, Outcome]) -> list[Stay]:
    """Return the stays of a group whose destination answers so for so many seconds each, and 200 after that."""

    def answer(seconds: float) -> Outcome:
        for length, outcome in spells:
            if seconds < length:
                return outcome
            seconds -= length
        return WELL

    return MessageGroup(answer, None, GROUP, 1).run()


def throttled(rate: str, size: int) -> list[Stay]:
    """Return the stays of the last group of a backlog that waits for its rate, in groups of one size."""
    return MessageGroup(lambda seconds: WELL, rate, size, math.ceil(BACKLOG / size)).run()


def sections() -> dict[str, str]:
    """Return the computed sections of docs/scaling.md about waiting."""
    headings = ["first", "behind it", "longest wait", "receives left", "days left", "end"]
    spells = {
        "a day of outage": held((DAY, ILL)),
        "a day behind an open circuit": held((DAY, CircuitOpen())),
        "two days of pause, then a day of outage": held((2 * DAY, Paused()), (DAY, ILL)),
        "12 days of pause": held((12 * DAY, Paused())),
        "13 days of pause": held((LONGEST_STAY, Paused())),
        "an outage that stays": held((math.inf, ILL)),
    }
    backlogs = [
        [rate, str(size), str(max(each.deferrals for each in stays)), *_left(stays)]
        for rate in ("50/s", "1/s")
        for size in (1, GROUP)
        for stays in [throttled(rate, size)]
    ]
    return {
        "staying": table(["why it waits", *headings], ([what, *_left(stays)] for what, stays in spells.items())),
        "backlog": table(["rate", "group of", "times deferred", *headings], backlogs),
    }


def _left(stays: Sequence[Stay]) -> list[str]:
    """Return what a group used, and what is left for the task that used the most."""
    longest = max(each.seconds for each in stays)
    most = max(each.receives for each in stays)
    follower = str(max(each.receives for each in stays[1:])) if len(stays) > 1 else ""
    days = f"{max(LONGEST_STAY - longest, 0) / DAY:.1f}"
    return [str(stays[0].receives), follower, _long(longest), str(MOST_RECEIVES - most), days, _ends(stays)]


def _long(seconds: float) -> str:
    return f"{seconds / HOUR:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} days"


def _ends(stays: Iterable[Stay]) -> str:
    return ", ".join(sorted({each.ends for each in stays}))
