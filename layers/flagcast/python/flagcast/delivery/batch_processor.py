"""A batch of tasks: groups side by side, what is done deleted at once, what may kill the function last and alone.

A claim check may: ten bodies of the largest size at once are more than the function has memory for.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from functools import partial
from queue import Empty, SimpleQueue
from typing import Protocol

from flagcast.clock import Clock
from flagcast.delivery import batch_progress as progress_rows
from flagcast.delivery import message_group
from flagcast.delivery.batch_progress import BatchProgress, Rows
from flagcast.delivery.message_group import Attempting, DeadLetters, MessageGroups, TaskQueue
from flagcast.delivery.retry_schedule import Random
from flagcast.errors import QueueUnavailable
from flagcast.primitives.kept_threads import KeptThreads
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import Task

BATCH_SIZE = 10
LINGER = 0.05
"""Seconds in which tasks that are done at almost the same time are gathered into one delete."""

# Kept from one invocation to the next: to start ten for each batch is a quarter of what a delivery costs.
_THREADS = KeptThreads("group")


class Journal(message_group.Journal, progress_rows.Journal, Protocol):
    """What the log says of a batch."""

    def broke(self, error: BaseException) -> None:
        """Log an unexpected error."""


class BatchProcessor:
    """One invocation's tasks."""

    def __init__(
        self,
        attempting: Attempting,
        queue: TaskQueue,
        dead_letters: DeadLetters,
        rows: Rows,
        journal: Journal,
        clock: Clock,
        random: Random,
    ) -> None:
        """Keep the edges; `random` is uniform over [0, 1)."""
        self._queue = queue
        self._journal = journal
        self._records = BatchProgress(rows, journal)
        self._groups = MessageGroups(attempting, queue, dead_letters, self._records, journal, clock, random)

    def run(self, messages: Sequence[Message], deadline: float) -> list[str]:
        """Work through the messages; returns the ids of those that stay on the queue, in the order received.

        `deadline` is when the invocation ends (monotonic seconds).
        """
        self._records.open(messages)
        calm: list[list[Message]] = []
        alone: list[list[Message]] = []
        for group in _grouped(messages):
            (alone if self._suspicion(group) or _is_large(group) else calm).append(group)
        done = self._side_by_side(calm, deadline, is_last=not alone)
        # Least suspect first: a task that kills the function every time would keep those behind it from ever running.
        done += self._one_by_one(sorted(alone, key=self._suspicion), deadline)
        left = {message.id for message in done}
        staying = [message for message in messages if message.id not in left]
        self._records.close(done, staying)
        return [message.id for message in staying]

    def _suspicion(self, group: Sequence[Message]) -> int:
        """Return how often a function ended while it worked on a task of the group."""
        return max(self._records.of(message).starts for message in group)

    def _side_by_side(self, groups: Sequence[Sequence[Message]], deadline: float, *, is_last: bool) -> list[Message]:
        """Work through groups at the same time; returns the tasks that are done."""
        settled: SimpleQueue[Message] = SimpleQueue()
        done: list[Message] = []
        self._records.start([group[0] for group in groups])
        running = {_THREADS.start(partial(self._groups.work, group, deadline, settled.put, 1)) for group in groups}
        try:
            while running:
                finished, running = wait(running, timeout=LINGER)
                self._tell_of_errors(finished)
                # Lambda deletes only when the invocation ends; while others still run, what is done does not wait.
                just_settled = list(_drain(settled))
                done += just_settled
                if running or not is_last:
                    self._delete(just_settled)
        finally:
            wait(running)  # Nothing goes on behind the back of an invocation that ended in an error.
        return done

    def _one_by_one(self, groups: Sequence[Sequence[Message]], deadline: float) -> list[Message]:
        """Work through groups when no others are left that they could take down; returns the tasks that are done.

        A function that is killed deletes nothing, so what is done is deleted before the next task begins.
        """
        done: list[Message] = []

        def settled(message: Message) -> None:
            self._delete([message])
            done.append(message)

        for group in groups:
            try:
                self._groups.work(group, deadline, settled, 0)
            except Exception as error:  # noqa: BLE001 - as in a thread: the task stays, and the next has its turn
                self._journal.broke(error)
                # Its mark must not stand while the next is at work, which may kill the function.
                self._records.close([], [message for message in group if message not in done])
        return done

    def _delete(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        self._records.close(messages)
        try:
            self._queue.delete(messages)
        except QueueUnavailable as error:
            # No failure: Lambda deletes them when the invocation ends.
            self._journal.queue_failed("delete", error)

    def _tell_of_errors(self, finished: Iterable[Future[None]]) -> None:
        for future in finished:
            if (error := future.exception()) is not None:
                self._journal.broke(error)


def _grouped(messages: Sequence[Message]) -> list[list[Message]]:
    """Sort messages into their groups, each in the order received."""
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(message.group, []).append(message)
    return list(groups.values())


def _is_large(group: Sequence[Message]) -> bool:
    return any(isinstance(message.task, Task) and message.task.is_claim_check for message in group)


def _drain(settled: SimpleQueue[Message]) -> Iterator[Message]:
    while True:
        try:
            yield settled.get_nowait()
        except Empty:
            return
