"""Notifies one destination when another starts failing, and once more when it has recovered.

What shows a trouble is noted while a batch is worked on; notices are queued when the batch is done, so that
no task waits for it.
"""

from typing import Protocol

from flagcast.clock import Clock
from flagcast.config.model import Retry
from flagcast.errors import StateUnavailable
from flagcast.notices.publisher import NoticePublisher
from flagcast.notices.trouble import Trouble, is_delivery, is_over, of_dead_letter, of_outcome
from flagcast.tasks.outcomes import GiveUp, Outcome

OPEN = "OPEN"
"""What Powertools calls a circuit that lets nothing through."""

LOOKED_UP_EVERY = 5.0
"""Seconds for which it is taken as known which destinations are in trouble."""

MOST_LOOKED_UP = 100
"""Rows that DynamoDB reads at once."""

ENOUGH = 6.0
"""Seconds that must be left of the invocation for one notice: two calls to the table of a second each, and these."""


class Journal(Protocol):
    """What the log says of circuits, and of what goes wrong."""

    def circuit_changed(self, destination: str, before: str, after: str) -> None:
        """Tell that a circuit opened, is probed, or closed."""

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        """Tell that the state table did not do something that can be done without."""

    def broke(self, error: BaseException) -> None:
        """Log an unexpected error."""


class TroubleTracker:
    """The troubles of every destination but the one that is notified of them."""

    def __init__(self, teller: NoticePublisher, journal: Journal, clock: Clock) -> None:
        """Keep the publisher, and the clock."""
        self._teller = teller
        self._journal = journal
        self._clock = clock
        self._opened: set[str] = set()
        self._shown: dict[str, Trouble] = {}
        self._delivered: dict[str, float] = {}
        self._looked_up = float("-inf")

    def circuit_changed(self, destination: str, before: str, after: str) -> None:
        """Pass it on, and keep in mind whose circuit opened: the outcome that opened it follows."""
        self._journal.circuit_changed(destination, before, after)
        if after == OPEN:
            self._opened.add(destination)

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        """Pass it on."""
        self._journal.state_failed(action, error)

    def seen(self, destination: str, outcome: Outcome, policy: Retry) -> None:
        """Note what came of an attempt."""
        now = self._clock.now()
        if is_delivery(outcome):
            if destination not in self._shown and destination != self._teller.through:
                self._delivered[destination] = now
        elif (trouble := of_outcome(outcome, policy, now, has_opened=destination in self._opened)) is not None:
            self._note(destination, trouble)

    def gave_up(self, destination: str, given_up: GiveUp) -> None:
        """Note that there is a dead letter."""
        if (trouble := of_dead_letter(given_up, self._clock.now())) is not None:
            self._note(destination, trouble)

    def tell(self, deadline: float) -> None:
        """Tell what there is to tell, as far as there is time; `deadline` is when the invocation ends.

        The rest is kept for the next invocation.
        """
        try:
            self._tell_of_troubles(deadline)
            self._tell_of_ends(deadline)
        except Exception as error:  # noqa: BLE001 - the batch is done, and must not be done again for a notice's sake
            self._journal.broke(error)

    def _note(self, destination: str, trouble: Trouble) -> None:
        self._opened.discard(destination)
        self._delivered.pop(destination, None)
        if destination != self._teller.through:
            self._shown.setdefault(destination, trouble)

    def _tell_of_troubles(self, deadline: float) -> None:
        for destination, trouble in list(self._shown.items()):
            if self._has_time(deadline) and self._teller.tell_of_trouble(destination, trouble):
                del self._shown[destination]

    def _tell_of_ends(self, deadline: float) -> None:
        now = self._clock.now()
        asked = list(self._delivered)[:MOST_LOOKED_UP]
        if not asked or now - self._looked_up < LOOKED_UP_EVERY or not self._has_time(deadline):
            return
        self._looked_up = now
        if (known := self._teller.known(asked)) is None:
            return
        delivered = {each: self._delivered.pop(each) for each in asked}
        for destination, row in known.items():
            if not row.is_told:
                # The function that claimed it may have ended: its notice comes first, and a later delivery ends it.
                self._shown.setdefault(destination, row.trouble)
            elif is_over(row.trouble, at := delivered[destination]) and not (
                self._has_time(deadline) and self._teller.tell_of_end(destination, row.trouble)
            ):
                self._delivered[destination] = at
        self._tell_of_troubles(deadline)

    def _has_time(self, deadline: float) -> bool:
        return deadline - self._clock.monotonic() >= ENOUGH
