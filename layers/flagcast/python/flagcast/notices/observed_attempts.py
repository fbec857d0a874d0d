"""Attempts and dead letters, watched for what they show about a destination."""

from flagcast.delivery.attempt import Policy
from flagcast.delivery.message_group import Attempting, DeadLetters
from flagcast.notices.trouble_tracker import TroubleTracker
from flagcast.tasks.outcomes import GiveUp, Outcome
from flagcast.tasks.progress import Progress
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import Task


class ObservedAttempts:
    """What a batch does, watched; without notices it only passes calls on."""

    def __init__(self, attempting: Attempting, dead_letters: DeadLetters, notices: TroubleTracker | None) -> None:
        """Keep what is done, and who takes note of it."""
        self._attempting = attempting
        self._dead_letters = dead_letters
        self._notices = notices

    def policy(self, message: Message) -> Policy:
        """Return how long an attempt may take, and the schedule."""
        return self._attempting.policy(message)

    def make(self, message: Message, progress: Progress) -> Outcome:
        """Make one attempt."""
        outcome = self._attempting.make(message, progress)
        if self._notices is not None and isinstance(message.task, Task):
            self._notices.seen(message.task.destination, outcome, self.policy(message).retry)
        return outcome

    def put_dead_letter(self, message: Message, given_up: GiveUp, attempts: int) -> None:
        """Put a message on the dead-letter queue; raises QueueUnavailable if it is not there."""
        self._dead_letters(message, given_up, attempts)
        if self._notices is not None and isinstance(message.task, Task):
            self._notices.gave_up(message.task.destination, given_up)

    def tell(self, deadline: float) -> None:
        """Tell what there is to tell before the invocation ends (monotonic seconds)."""
        if self._notices is not None:
            self._notices.tell(deadline)
