"""One group of tasks, in order: attempt, decide, act; what stops, stops the tasks behind it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import structs

from flagcast.clock import Clock
from flagcast.delivery.attempt import Policy
from flagcast.delivery.batch_progress import BatchProgress
from flagcast.delivery.decision import Circumstances, decide, end_of, overdue
from flagcast.delivery.retry_schedule import (
    FREE_RECEIVES,
    FREE_RECEIVES_TO_SLOT,
    PUT_OFF,
    Random,
    jittered,
    whole_delay,
)
from flagcast.errors import QueueUnavailable
from flagcast.tasks.outcomes import Attempted, Decision, GiveUp, Outcome, RetryIn, Throttled
from flagcast.tasks.progress import Progress
from flagcast.tasks.received_message import Message

MARGIN = 5.0
"""Seconds that must be left of the invocation beyond an attempt's own timeout, to act on what came of it."""


class Attempting(Protocol):
    """What makes the attempts."""

    def policy(self, message: Message) -> Policy:
        """Return how long an attempt may take, and the schedule."""

    def make(self, message: Message, progress: Progress) -> Outcome:
        """Make one attempt."""


class TaskQueue(Protocol):
    """What is done with a message on its queue; each raises QueueUnavailable if it was not done."""

    def delay(self, message: Message, seconds: int) -> None:
        """Let the message be seen again after so many whole seconds."""

    def hand_back(self, messages: Sequence[Message]) -> None:
        """Let the messages be seen again at once."""

    def delete(self, messages: Sequence[Message]) -> None:
        """Take the messages off the queue."""


DeadLetters = Callable[[Message, GiveUp, int], None]
"""Puts a message on the dead-letter queue, with the attempts made; raises QueueUnavailable if it is not there."""


class Journal(Protocol):
    """What the log says of a group."""

    def attempted(
        self,
        message: Message,
        outcome: Outcome | None,
        decision: Decision,
        attempts: int,
        seconds: float,
        gives_up_at: float | None,
    ) -> None:
        """Tell what came of a task after so many attempts; no outcome means that nothing was asked of it any more.

        `gives_up_at` is when retrying ends (epoch seconds), where it is known.
        """

    def queue_failed(self, action: str, error: QueueUnavailable) -> None:
        """Tell that SQS did not do something that can be done without."""


class MessageGroups:
    """Works through groups.

    A group that stops is handed back whole: its head after its delay, the rest at once. In flight they would lock
    their group for the whole visibility timeout; handed back they wait behind their head, and no longer than it.
    """

    def __init__(
        self,
        attempting: Attempting,
        queue: TaskQueue,
        dead_letters: DeadLetters,
        records: BatchProgress,
        journal: Journal,
        clock: Clock,
        random: Random,
    ) -> None:
        """Keep the edges; `random` is uniform over [0, 1)."""
        self._attempting = attempting
        self._queue = queue
        self._dead_letters = dead_letters
        self._records = records
        self._journal = journal
        self._clock = clock
        self._random = random

    def work(self, group: Sequence[Message], deadline: float, settled: Callable[[Message], None], started: int) -> None:
        """Settle tasks until one stops or the time is up; the records know of the first `started` that they begin."""
        for at, message in enumerate(group):
            if deadline - self._clock.monotonic() < self._attempting.policy(message).timeout + MARGIN:
                self._records.put_back(group[at:])
                self._hand_back(group[at:])
                return
            if at >= started:
                self._records.start([message])
            decision = self._settle(group[at:])
            if isinstance(decision, RetryIn):
                self._stop(group[at:], decision)
                return
            settled(message)

    def _settle(self, group: Sequence[Message]) -> Decision:
        """Attempt the first task, decide, and put it where it belongs if it is given up."""
        message, gives_up_at = group[0], None
        began, at = self._clock.monotonic(), self._clock.now()
        progress = self._records.of(message)
        decision: Decision | None = overdue(message.wear(at), progress.starts)
        outcome: Outcome | None = None
        if decision is None:
            outcome, progress = self._attempt(message, at)
            circumstances = Circumstances(message.wear(at), progress.attempts, progress.first_attempt)
            schedule = self._attempting.policy(message).retry
            now = self._clock.now()
            decision = decide(outcome, circumstances, schedule, now, self._random)
            if isinstance(decision, RetryIn):
                gives_up_at = end_of(outcome, circumstances, schedule, now)
        if isinstance(decision, GiveUp):
            decision = self._give_up(message, decision, progress.attempts)
        if isinstance(decision, RetryIn):
            self._records.learn(message, progress)
            decision = self._whole(group, decision)
        seconds = self._clock.monotonic() - began
        self._journal.attempted(message, outcome, decision, progress.attempts, seconds, gives_up_at)
        return decision

    def _attempt(self, message: Message, at: float) -> tuple[Outcome, Progress]:
        """Make an attempt; returns what came of it, and the task's progress after it."""
        before = self._records.of(message)
        outcome = self._attempting.make(message, before)
        if isinstance(outcome, Throttled):
            self._records.learn(message, _after(message, before, outcome, at))
            if not self._records.put_back([message]):
                # A slot that is not remembered is followed by another behind all others, time and again.
                outcome = self._attempting.make(message, structs.replace(before, is_guess=True))
        return outcome, _after(message, before, outcome, at)

    def _give_up(self, message: Message, given_up: GiveUp, attempts: int) -> Decision:
        try:
            self._dead_letters(message, given_up, attempts)
        except QueueUnavailable as error:
            self._journal.queue_failed("dead letter", error)
            return RetryIn(jittered(PUT_OFF, self._random))
        return given_up

    def _whole(self, group: Sequence[Message], retry: RetryIn) -> RetryIn:
        """Return the delay that the queue is asked for, so that the log says the same."""
        now = self._clock.now()
        free = FREE_RECEIVES_TO_SLOT if retry.to_slot else FREE_RECEIVES
        seconds = whole_delay(retry.seconds, (message.wear(now) for message in group), free)
        return structs.replace(retry, seconds=seconds)

    def _stop(self, group: Sequence[Message], retry: RetryIn) -> None:
        head, followers = group[0], group[1:]
        self._records.put_back(group)
        try:
            self._queue.delay(head, int(retry.seconds))
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


def _after(message: Message, before: Progress, outcome: Outcome, at: float) -> Progress:
    """Return a task's progress after what came of it; `at` is when its work began (epoch seconds).

    Only an attempt clears it of suspicion, and uses up its slot: a deferred task has not done what may have killed.
    """
    if isinstance(outcome, Attempted):
        return before.attempted(message.receives, at)
    return structs.replace(before, slot=outcome.until) if isinstance(outcome, Throttled) else before
