"""Replicas of Flipt that send, functions that settle over one table, a queue; and what must hold at the end."""

from collections import Counter
from random import Random

from msgspec import Struct

from flagcast.errors import StateUnavailable
from flagcast.events.change_context import Known
from flagcast.events.event import Event, parse
from flagcast.flipt_state.change_tracker import ChangeTracker
from flagcast.flipt_state.changes import changes_between
from flagcast.flipt_state.resend_detection import Arrival
from flagcast.ingest.fan_out import identify
from flagcast.primitives.timestamp import epoch_of
from flagcast.tasks.task import event_digest
from tests.flipt_model.flipt import Flipt, Happened
from tests.flipt_model.table import Table

DESTINATIONS = ("first", "second")
MOST_TRIES = 5


class Sent(Struct):
    """A message that a destination will get: of which happening it was stored, and what it says that it changed."""

    event_id: str
    happened: Happened
    known: Known


class Replica:
    """A sender: one event at a time, again until it is answered 200 or given up."""

    def __init__(self, flipt: Flipt) -> None:
        self.flipt = flipt
        self.waiting: list[Happened] = []
        self.tries = 0


class World:
    """Everything, moved on by `step`; it counts what went on."""

    def __init__(self, random: Random, *, replicas: int = 1, faults: int = 0, is_late: bool = True) -> None:
        self.random = random
        self._fates = FATES if is_late else [each for each in FATES if each != "late"]
        self.counts: Counter[str] = Counter()
        self.now = 1_767_225_600.0
        self.table = Table(random, faults)
        self.functions = [ChangeTracker(self.table, self), ChangeTracker(self.table, self)]
        self.answered: dict[int, str] = {}
        self.queues: dict[str, list[Sent]] = {each: [] for each in DESTINATIONS}
        flipt = Flipt(random, random.choice([0, 0, -3600, -2, 2, 3600]))
        self.flipt = flipt
        self.replicas = [Replica(flipt) for _ in range(replicas)]
        self._late: list[tuple[Happened, float]] = []
        self._requests = 0
        self._said: list[str] = []

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        self.counts["table failures"] += 1

    def step(self) -> None:
        """Let something happen, or something of what happened be sent."""
        self.now += self.random.choice([0.001, 0.01, 0.2, 0.2, 1.5])
        replica = self.random.choice(self.replicas)
        if not replica.waiting or self.random.randrange(3) == 0:
            replica.waiting.append(self.flipt.do_something(self.now))
            self.counts["events"] += 1
        else:
            self._send(replica)
        if self.random.randrange(4) == 0:
            self.table.let_arrive()
        if self._late and self.random.randrange(3) == 0:
            self._settle(*self._late.pop(0), fails=False)

    def finish(self) -> None:
        """Send what waits, with everything well."""
        self.table.faults = 0
        for replica in self.replicas:
            while replica.waiting:
                self.now += 0.2
                self._send(replica, is_well=True)
        while self._late:
            self._settle(*self._late.pop(0), fails=False)

    def _send(self, replica: Replica, *, is_well: bool = False) -> None:
        happened, taken = replica.waiting[0], self.now
        self.counts["sent again"] += replica.tries > 0
        replica.tries += 1
        fate = "well" if is_well or replica.tries >= MOST_TRIES else self.random.choice(self._fates)
        if fate == "late":
            # It timed out, and is settled when the next try has been: a function ends before Flipt gives up.
            self._late.append((happened, taken))
            self.counts["late twins"] += 1
            return
        answered = self._settle(happened, taken, fails=fate == "queue fails")
        if fate == "answer lost":
            self.counts["answers lost"] += 1
        elif answered is not None:
            self.answered[happened.number] = answered
            replica.waiting.pop(0)
            replica.tries = 0

    def _settle(self, happened: Happened, taken: float, *, fails: bool) -> str | None:
        """Do what ingest does with one request; returns the event's id if the answer is 200."""
        event = parse(happened.body)
        assert isinstance(event, Event)
        self._requests += 1
        second = epoch_of(event.timestamp)
        assert second is not None
        arrival = Arrival(f"r{self._requests}", int(taken * 1000), int(second), event_digest("flipt", happened.body))
        function = self._function()
        understood = function.settle("flipt", event, arrival, 0)
        if understood.unsettled is not None:
            function.record(understood.unsettled, arrival, 0)
        event_id = identify("flipt", happened.body, understood.number)
        stored = DESTINATIONS[: self.random.randrange(2)] if fails else DESTINATIONS
        for name in stored:
            if event_id not in {each.event_id for each in self.queues[name]}:
                self.queues[name].append(Sent(event_id, happened, understood.known))
        if fails:
            self.counts["503s"] += 1
            return None
        return event_id

    def _function(self) -> ChangeTracker:
        """Return one of the functions; one that could not write what it saw takes the next request, too.

        What it remembers is its own: another function knows nothing of it (docs/guarantees.md).
        """
        holding = [each for each in self.functions if each.holds_unwritten]
        return holding[0] if holding else self.random.choice(self.functions)

    def swallowed(self) -> list[Happened]:
        """Return what was answered 200 and reaches a destination as nothing of its own."""
        lost = []
        for number, event_id in self.answered.items():
            happened = self.flipt.happened[number]
            for name in DESTINATIONS:
                stored = [each.happened for each in self.queues[name] if each.event_id == event_id]
                if not stored or not self._is_same(stored[0], happened):
                    lost.append(happened)
        return lost

    def _is_same(self, one: Happened, other: Happened) -> bool:
        """Return whether two happenings are one: nothing happened to the thing between them."""
        low, high = sorted((one.number, other.number))
        between = [each for each in self.flipt.happened[low : high + 1] if each.thing == other.thing]
        is_saved_again = one.thing == other.thing and not other.is_denied and len({each.body for each in between}) == 1
        return low == high or is_saved_again

    def duplicates(self) -> int:
        """Count what a destination gets more than once, denied events aside: nothing tells one from another."""
        got = [Counter(each.happened.number for each in q if not each.happened.is_denied) for q in self.queues.values()]
        return sum(count - 1 for each in got for count in each.values())

    def out_of_order(self) -> int:
        """Count what a destination gets after something later about the same thing."""
        wrong = 0
        for queue in self.queues.values():
            last: dict[str, int] = {}
            for each in queue:
                if not each.happened.is_denied:
                    wrong += each.happened.number < last.get(each.happened.thing, -1)
                    last[each.happened.thing] = max(each.happened.number, last.get(each.happened.thing, -1))
        return wrong

    def wrong_ends(self) -> list[str]:
        """Return the things whose last state at a destination is not Flipt's."""
        return [
            thing
            for queue in self.queues.values()
            for thing in {each.happened.thing for each in queue if not each.happened.is_denied}
            if [each.happened.after for each in queue if each.happened.thing == thing][-1]
            != [each.after for each in self.flipt.happened if each.thing == thing][-1]
        ]

    def false_changes(self) -> list[Sent]:
        """Return what says that something changed which did not, or not so."""
        return [each for queue in self.queues.values() for each in queue if each.known.is_known and not _is_true(each)]

    def known(self) -> int:
        return sum(each.known.is_known for queue in self.queues.values() for each in queue)


FATES = ("well", "well", "well", "well", "queue fails", "answer lost", "late")


def _is_true(sent: Sent) -> bool:
    kind = {"order": "rule-order", "distribution": "distribution"}.get(sent.happened.thing, "flag")
    return sent.known.changes == changes_between(kind, sent.happened.before, sent.happened.after)
