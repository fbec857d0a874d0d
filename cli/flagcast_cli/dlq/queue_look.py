"""Which dead letters are in their queue: what the log says was given up may have been dropped or sent again."""

from flagcast_cli.console import CommandError, err, marked
from flagcast_cli.dlq.held_letters import Held
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.queues import StackQueues, place_of
from flagcast_cli.stack.samconfig import account_of

Key = tuple[str, str]
"""An event's id and a destination."""
Keys = frozenset[Key]


class QueueLook:
    """Looks into a stack's dead-letter queue, and remembers what it found.

    Letters are received only where their number is not the log's, and again only where one of the two has changed:
    a letter that was received three times is hidden from the alarm old-dead-letters.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """

    def __init__(self, stack: str, account: Account) -> None:
        """Look at nothing yet."""
        self._stack = stack
        self._account = account
        self._place: StackQueues | None = None
        self._looked_at: tuple[int, Keys] | None = None
        self._found: Keys = frozenset()
        self._failed = False

    def look(self, logged: Keys) -> Keys | None:
        """Return which are there, given those of the log; None where the queue cannot be asked, which is said once."""
        try:
            return self._look(logged)
        except CommandError as error:
            if not self._failed:
                err.print(marked("Dead letters are those of the log: {}", error), style="yellow", soft_wrap=True)
            self._failed = True
            return None

    def _look(self, logged: Keys) -> Keys:
        if self._place is None:
            self._place = place_of(self._stack, account_of(self._account, self._stack))
        number = self._place.dead()
        if number in (0, len(logged)):
            return logged if number else frozenset()
        if self._looked_at != (number, logged):
            self._found, self._looked_at = _received(self._place, logged), (number, logged)
        return self._found


def _received(place: StackQueues, logged: Keys) -> Keys:
    """Receive every letter and hand it back; those that someone else holds may be any that the log has."""
    with Held(place) as held:
        found = frozenset((each.event_id, each.destination) for each in held.collect())
    return found | logged if held.elsewhere else found
