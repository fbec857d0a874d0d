"""What is known of a task beyond its message: how often it was attempted, and whether it may have killed a function.

SQS counts receives, and a task that is handed back or deferred is received again without an attempt.
"""

from msgspec import Struct, structs

from flagcast.tasks.received_message import Message

MOST_STARTS = 3
"""How often a task may be found marked as started and never ended, before it is taken for what killed the function."""

SLOT_KEPT_FOR = 10.0
"""Seconds for which a slot of a throttled destination may be used late; after that another is asked for."""


class Progress(Struct, frozen=True):
    """A task's row: attempts made, when the first was (epoch seconds), what it may have killed, the slot it waits for.

    `starts` is how often it was started and is not known to have ended: 0 unless a function was killed. `survived` is
    the last of its receives that a function is known to have survived; what was before that is forgiven. `is_guess`
    tells that the row could not be read.
    """

    attempts: int = 0
    first_attempt: float | None = None
    starts: int = 0
    survived: int = 0
    slot: float | None = None
    is_guess: bool = False

    def may_have_killed(self, receives: int) -> bool:
        """Return whether a function may have ended over the task since it was last known to be harmless."""
        return self.starts > 0 or self.survived < receives - 1

    def put_back(self, receives: int) -> "Progress":
        """Return the row of a task that goes back on the queue after this receive; what is in doubt stays in doubt."""
        return self if self.may_have_killed(receives) else structs.replace(self, survived=receives)

    def attempted(self, receives: int, at: float) -> "Progress":
        """Return the row after one more attempt (epoch seconds), which nothing died of: only that ends a doubt."""
        first = None if self.is_guess else self.first_attempt or at
        return Progress(self.attempts + 1, first, survived=receives)


NEW = Progress()


def guessed(message: Message) -> Progress:
    """Return what can be said without the row: as many attempts as receives, and no first one that could expire."""
    return Progress(attempts=message.receives - 1, is_guess=True)
