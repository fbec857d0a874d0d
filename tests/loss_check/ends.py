"""The ends of one task, message by message: a second end needs an excuse, and a second message a redrive."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.loss_check.answers import SLOW
from tests.loss_check.ledger import Arrival, Ledger, Letter, TaskId
from tests.loss_check.task_record import Books

End = Arrival | Letter


class Ends:
    """What came of the messages that carried one task."""

    def __init__(self, ledger: Ledger, books: Books, task: TaskId, good: list[Arrival]) -> None:
        """Sort the ends; `good` are the requests that were answered 2xx."""
        self._ledger = ledger
        self._books = books
        self._arrivals = books.arrivals[task]
        self._invocations = books.invocations[task]
        self._task = task
        self._ends: list[End] = sorted([*good, *books.letters[task]], key=lambda each: each.tick)

    @property
    def copies(self) -> int:
        """Return how many messages carried the task beyond the first one and those that must be expected."""
        return self.more - self._ledger.resent[self._task]

    @property
    def more(self) -> int:
        """Return how many messages carried the task beyond the first one and those that were sent back."""
        messages = {each for invocation in self._invocations for each in invocation.tasks[self._task]}
        return len(messages) - 1 - sum(self.is_redriven(each) for each in self._ends)

    def is_redriven(self, end: End) -> bool:
        return isinstance(end, Letter) and end.message_id in self._ledger.redriven

    def again(self) -> Iterator[tuple[End, End, str | None]]:
        """Yield each two ends that one message had one after the other, and what made the second unavoidable."""
        of_message: defaultdict[str, list[End]] = defaultdict(list)
        for end in self._ends:
            of_message[self._message(end)].append(end)
        for ends in of_message.values():
            yield from ((before, after, self._excuse(before, after)) for before, after in pairwise(ends))

    def _excuse(self, before: End, after: End) -> str | None:
        """Say what kept the function that brought a message to an end from taking it off its queue."""
        tick, pid, is_heard = before.tick, before.pid, True
        if isinstance(before, Letter):
            # The same letter may have been put there again, which its queue swallows: the last one had the last word.
            last = [each for each in self._ledger.puts[before.message_id] if each.tick < after.tick][-1]
            tick, pid, is_heard = last.tick, last.pid, self._ledger.is_heard(last)
        by = self._books.invocation(self._task, pid, tick)
        if by.killed_by is not None:
            return "the function was killed before its task was deleted"
        if by.forgotten:
            return "the function's answer did not reach the event source"
        # What hung may also take effect when the task has come to another end meanwhile.
        first = self._ledger.puts[after.message_id][0] if isinstance(after, Letter) else None
        if not is_heard or (first is not None and not self._ledger.is_heard(first) and first.asked < before.tick):
            return "the queue took a dead letter, and its answer was lost"
        # Where the script says that an answer takes long, the function must still know what it was told in time.
        if isinstance(before, Arrival) and (pid, before.call) in self._ledger.unheard and before.action not in SLOW:
            return "a busy machine brought the destination's answer too late"
        return None

    def _message(self, end: End) -> str:
        """Return the id of the message that came to an end; two of one task are worked on in order."""
        by = self._books.invocation(self._task, end.pid, end.tick)
        messages = by.tasks[self._task]
        if isinstance(end, Letter) and end.of in messages:
            return end.of
        earlier = (each for each in self._arrivals if by.began_tick < each.tick < end.tick and each.pid == end.pid)
        # A request that is sent again as its connection was stale is the same attempt.
        before = len({each.call for each in earlier} - ({end.call} if isinstance(end, Arrival) else set()))
        return messages[min(before, len(messages) - 1)]
