"""What the ledger says of one task."""

from bisect import bisect_left
from collections import defaultdict

from tests.loss_check.ledger import Arrival, Invocation, Ledger, Letter, TaskId


class Books:
    """A ledger, sorted by tasks."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.arrivals: defaultdict[TaskId, list[Arrival]] = defaultdict(list)
        for arrival in self._ledger.arrivals:
            self.arrivals[arrival.task].append(arrival)
        self._rests_asked: defaultdict[str, list[float]] = defaultdict(list)
        for arrival in sorted(self._ledger.arrivals, key=lambda each: each.at):
            if arrival.wants_rest:
                self._rests_asked[arrival.task.rpartition(":")[2]].append(arrival.at)
        self.letters: defaultdict[TaskId, list[Letter]] = defaultdict(list)
        for letter in self._ledger.letters:
            self.letters[letter.task].append(letter)
        self.invocations: defaultdict[TaskId, list[Invocation]] = defaultdict(list)
        for invocation in self._ledger.invocations:
            for task in invocation.tasks:
                self.invocations[task].append(invocation)
        self.sendings = {each.event.event_id: each for each in self._ledger.sendings.values()}

    def tasks(self) -> set[TaskId]:
        """Return every task of which anything was seen anywhere."""
        kept = (self.arrivals, self.letters, self.invocations)
        return {task for each in kept for task, seen in each.items() if seen}

    def invocation(self, task: TaskId, pid: int, tick: int) -> Invocation:
        """Return the invocation that did something at a time, or whose process did it shortly before it ended."""
        had = [each for each in self.invocations[task] if each.pid == pid and each.began_tick < tick]
        return max(had, key=lambda each: each.began_tick)

    def rested(self, destination: str, before: Arrival, after: Arrival) -> bool:
        """Return whether the destination asked for rest since shortly before an attempt."""
        times = self._rests_asked[destination]
        at = bisect_left(times, before.at - 60)
        return at < len(times) and times[at] <= after.at

    def story(self, task: TaskId) -> str:
        """Tell what happened to a task, in order."""
        told = [(each.tick, f"{each.action} -> {each.status}") for each in self.arrivals[task]]
        told += [(each.tick, f"dead letter {each.reason} {each.status}") for each in self.letters[task]]
        for each in self.invocations[task]:
            told.append((each.began_tick, f"in hand with {len(each.tasks)}"))
            ending = f"killed {each.killed_by}" if each.killed_by else "settled"
            told.append((each.ended_tick or 0, f"{ending} {each.troubles or ''}"))
        sending = self.sendings.get(task.partition(":")[0])
        answers = sending.statuses if sending else None
        return f"answers {answers}; " + "; ".join(f"{tick} {what}" for tick, what in sorted(told))
