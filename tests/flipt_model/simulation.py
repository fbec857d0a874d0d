"""Replicas of Flipt that send, functions that settle over one table, a queue; and what must hold at the end."""

from collections import Counter
from random import Random

from msgspec import Struct, structs

from flagcast.errors import StateUnavailable
from flagcast.events.change_context import Known
from flagcast.events.event import Event, parse
from flagcast.events.subject import subject
from flagcast.flipt_state.change_tracker import ChangeTracker
from flagcast.flipt_state.changes import changes_between
from flagcast.flipt_state.resend_detection import Arrival
from flagcast.ingest.fan_out import identify
from flagcast.primitives.timestamp import epoch_of
from flagcast.tasks.task import event_digest
from tests.flipt_model.flipt import Flipt, Happened
from tests.flipt_model.table import Table

DESTINATIONS = ("first", "second")
TRIES = {"1.44": 4, "1.61": 5}
"""Requests of one event before a Flipt gives it up: after 15 s, from 1.45 after 30 s."""

CLOCKS_OFF = (0, 0, -3600, -2, 2, 3600)
APART = (0, 0, -1, 3)
"""Seconds by which Flipt's clock is off, and one replica's from another's."""


class Sent(Struct):
    """A message that a destination will get: of which happening it was stored, and what it says that it changed.

    `group` is what it stays in order with.
    """

    event_id: str
    happened: Happened
    known: Known
    group: tuple[str, ...]


class Replica:
    """A sender: one event at a time, again until it is answered 200 or given up.

    Its clock is off by so many seconds.
    """

    def __init__(self, clock_off: int, most_tries: int) -> None:
        self.clock_off = clock_off
        self.most_tries = most_tries
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
        self.given_up: set[int] = set()
        self.flipt = Flipt(random)
        off, tries = random.choice(CLOCKS_OFF), TRIES[random.choice([*TRIES])]
        self.replicas = [Replica(off + (random.choice(APART) if each else 0), tries) for each in range(replicas)]
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
            replica.waiting.append(self.flipt.do_something(self.now + replica.clock_off))
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
        fate = "well" if is_well else self.random.choice(self._fates)
        answered = None
        if fate == "late":
            # It timed out, and is settled when the next try has been: a function ends before Flipt gives up.
            self._late.append((happened, taken))
            self.counts["late twins"] += 1
        else:
            answered = self._settle(happened, taken, fails=fate == "queue fails")
        if fate == "answer lost":
            self.counts["answers lost"] += 1
        elif answered is not None:
            self.answered[happened.number] = answered
        if happened.number in self.answered or replica.tries >= replica.most_tries:
            replica.waiting.pop(0)
            replica.tries = 0
        if happened.number not in self.answered and happened not in replica.waiting:
            self._give_up(happened)

    def _give_up(self, happened: Happened) -> None:
        self.counts["given up"] += 1
        self.given_up.add(happened.number)
        for each in [each for each in self._late if each[0] == happened]:
            self._late.remove(each)
            self._settle(*each, fails=False)

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
                group = subject(structs.replace(event, known=understood.known))
                self.queues[name].append(Sent(event_id, happened, understood.known, group))
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
        """Count what a destination gets after something later of the same flag."""
        wrong = 0
        for queue in self.queues.values():
            last: dict[str, int] = {}
            for each in queue:
                if flag := each.happened.flag:
                    wrong += each.happened.number < last.get(flag, -1)
                    last[flag] = max(each.happened.number, last.get(flag, -1))
        return wrong

    def apart(self) -> int:
        """Count what is not in its flag's group, so that it can arrive before what it follows."""
        sent = [each for queue in self.queues.values() for each in queue if each.happened.flag]
        return sum(each.group != ("flag", "default", each.happened.flag) for each in sent)

    def wrong_ends(self) -> list[str]:
        """Return the things whose last state at a destination is not Flipt's, but for events that Flipt gave up."""
        wrong = []
        for queue in self.queues.values():
            for thing in {each.happened.thing for each in queue if not each.happened.is_denied}:
                got = [each.happened for each in queue if each.happened.thing == thing][-1]
                told = [
                    each for each in self.flipt.happened if each.thing == thing and each.number not in self.given_up
                ]
                last = max([got, *told[-1:]], key=lambda each: each.number)
                if got.after != last.after:
                    wrong.append(thing)
        return wrong

    def false_changes(self) -> list[Sent]:
        """Return what says that something changed which did not, or not so."""
        return [each for queue in self.queues.values() for each in queue if each.known.is_known and not _is_true(each)]

    def known(self) -> int:
        return sum(each.known.is_known for queue in self.queues.values() for each in queue)


FATES = ("well", "well", "well", "well", "queue fails", "answer lost", "late")


def _is_true(sent: Sent) -> bool:
    kinds = {"order": "rule-order", "rule": "rule", "distribution": "distribution"}
    kind = kinds.get(sent.happened.thing, "flag")
    return sent.known.changes == changes_between(kind, sent.happened.before, sent.happened.after)
