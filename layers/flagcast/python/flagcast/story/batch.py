"""A batch of tasks: groups side by side, each in order, what is done deleted at once, the rest handed back."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import Empty, SimpleQueue
from typing import Protocol

from flagcast.core.delivery import Circumstances, decide, overdue
from flagcast.core.message import Message
from flagcast.core.outcomes import Decision, GiveUp, Outcome, RetryIn
from flagcast.core.retry import PUT_OFF, Random, jittered, whole_delay
from flagcast.errors import QueueUnavailable
from flagcast.story.attempt import Policy
from flagcast.story.clock import Clock

BATCH_SIZE = 10
MARGIN = 5.0
"""Seconds that must be left of the invocation beyond an attempt's own timeout, to act on what came of it."""

LINGER = 0.05
"""Seconds in which tasks that are done at almost the same time are gathered into one delete."""


class Attempting(Protocol):
    """What makes the attempts."""

    def policy(self, message: Message) -> Policy:
        """Return how long an attempt may take, and the schedule."""

    def make(self, message: Message) -> Outcome:
        """Make one attempt."""


class TaskQueue(Protocol):
    """What is done with a message on its queue; each raises QueueUnavailable if it was not done."""

    def delay(self, message: Message, seconds: int) -> None:
        """Let the message be seen again after so many whole seconds."""

    def hand_back(self, messages: Sequence[Message]) -> None:
        """Let the messages be seen again at once."""

    def delete(self, messages: Sequence[Message]) -> None:
        """Take the messages off the queue."""


DeadLetters = Callable[[Message, GiveUp], None]
"""Puts a message on the dead-letter queue; raises QueueUnavailable if it is not there for certain."""


class Journal(Protocol):
    """What is told about the batch."""

    def attempted(self, message: Message, outcome: Outcome | None, decision: Decision, seconds: float) -> None:
        """Tell what came of a task; no outcome means that nothing was asked of it any more."""

    def queue_failed(self, action: str, error: QueueUnavailable) -> None:
        """Tell that SQS did not do something that can be done without."""

    def broke(self, error: BaseException) -> None:
        """Tell of an error that nobody expected."""


class Batch:
    """One invocation's tasks.

    A group that stops is handed back whole: its head after its delay, the rest at once. In flight they would lock
    their group for the whole visibility timeout; handed back they wait behind their head, and no longer than it.
    """

    def __init__(
        self,
        attempting: Attempting,
        queue: TaskQueue,
        dead_letters: DeadLetters,
        journal: Journal,
        clock: Clock,
        random: Random,
    ) -> None:
        """Keep the edges; `random` is uniform over [0, 1)."""
        self._attempting = attempting
        self._queue = queue
        self._dead_letters = dead_letters
        self._journal = journal
        self._clock = clock
        self._random = random

    def run(self, messages: Sequence[Message], deadline: float) -> list[str]:
        """Work through the messages; returns the ids of those that stay on the queue, in the order received.

        `deadline` is when the invocation ends (monotonic seconds).
        """
        settled: SimpleQueue[Message] = SimpleQueue()
        done: set[str] = set()
        with ThreadPoolExecutor(max_workers=BATCH_SIZE) as threads:
            running = {threads.submit(self._work, group, deadline, settled) for group in _groups(messages)}
            while running:
                finished, running = wait(running, timeout=LINGER)
                self._tell_of_errors(finished)
                # Lambda deletes only when the invocation ends; while others still run, what is done does not wait.
                just_settled = list(_drain(settled))
                done.update(message.id for message in just_settled)
                if running and just_settled:
                    self._delete(just_settled)
        done.update(message.id for message in _drain(settled))
        return [message.id for message in messages if message.id not in done]

    def _work(self, group: Sequence[Message], deadline: float, settled: SimpleQueue[Message]) -> None:
        for at, message in enumerate(group):
            if deadline - self._clock.monotonic() < self._attempting.policy(message).timeout + MARGIN:
                self._hand_back(group[at:])
                return
            decision = self._settle(message)
            if isinstance(decision, RetryIn):
                self._stop(group[at:], decision.seconds)
                return
            settled.put(message)

    def _settle(self, message: Message) -> Decision:
        """Attempt, decide, and put a task that is given up where it belongs."""
        began = self._clock.monotonic()
        wear = message.wear(self._clock.now())
        decision: Decision | None = overdue(wear)
        outcome: Outcome | None = None
        if decision is None:
            outcome = self._attempting.make(message)
            circumstances = Circumstances(wear, message.receives, message.first_received_at)
            schedule = self._attempting.policy(message).retry
            decision = decide(outcome, circumstances, schedule, self._clock.now(), self._random)
        if isinstance(decision, GiveUp):
            decision = self._give_up(message, decision)
        self._journal.attempted(message, outcome, decision, self._clock.monotonic() - began)
        return decision

    def _give_up(self, message: Message, given_up: GiveUp) -> Decision:
        try:
            self._dead_letters(message, given_up)
        except QueueUnavailable as error:
            self._journal.queue_failed("dead letter", error)
            return RetryIn(jittered(PUT_OFF, self._random))
        return given_up

    def _stop(self, group: Sequence[Message], seconds: float) -> None:
        now = self._clock.now()
        head, followers = group[0], group[1:]
        try:
            self._queue.delay(head, whole_delay(seconds, (message.wear(now) for message in group)))
        except QueueUnavailable as error:
            # The head stays invisible for the rest of its visibility timeout, which is a delay too, and those behind
            # it with it; asking once more could outlast the invocation.
            self._journal.queue_failed("delay", error)
        else:
            self._hand_back(followers)

    def _hand_back(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        try:
            self._queue.hand_back(messages)
        except QueueUnavailable as error:
            self._journal.queue_failed("hand back", error)

    def _delete(self, messages: Sequence[Message]) -> None:
        try:
            self._queue.delete(messages)
        except QueueUnavailable as error:
            # No failure: Lambda deletes them when the invocation ends.
            self._journal.queue_failed("delete", error)

    def _tell_of_errors(self, finished: Iterable[Future[None]]) -> None:
        for future in finished:
            if (error := future.exception()) is not None:
                self._journal.broke(error)


def _groups(messages: Sequence[Message]) -> list[list[Message]]:
    """Sort messages into their groups, each in the order received."""
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(message.group, []).append(message)
    return list(groups.values())


def _drain(settled: SimpleQueue[Message]) -> Iterator[Message]:
    while True:
        try:
            yield settled.get_nowait()
        except Empty:
            return
