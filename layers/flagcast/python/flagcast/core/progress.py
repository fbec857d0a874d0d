"""What is known of a task beyond its message: how often it was attempted, and whether it may have killed a function.

SQS counts receives, and a task that is handed back or put off is received again without an attempt.
"""

from msgspec import Struct

from flagcast.core.message import Message

MOST_STARTS = 3
"""How often a task may be found marked as started and never ended, before it is taken for what killed the function."""

SLOT_KEPT_FOR = 10.0
"""Seconds for which a slot of a throttled destination may be used late; after that another is asked for."""


class Progress(Struct, frozen=True):
    """A task's row: attempts made, when the first was (epoch seconds), its mark, and the slot it waits for.

    `starts` is how often it was started and is not known to have ended: 0 unless a function was killed. `is_guess`
    tells that the row could not be read.
    """

    attempts: int = 0
    first_attempt: float | None = None
    starts: int = 0
    slot: float | None = None
    is_guess: bool = False


NEW = Progress()


def guessed(message: Message) -> Progress:
    """Return what can be said without the row: as many attempts as receives, and no first one that could expire."""
    return Progress(attempts=message.receives - 1, is_guess=True)
