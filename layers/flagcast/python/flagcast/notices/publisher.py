"""How a notice is queued: by the function that wins the write to the state table, as a task like any other.

The write is a claim for a while: a notice that was not queued after it is queued by the next function that claims it.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from flagcast.clock import Clock
from flagcast.config.model import Ordering
from flagcast.errors import QueueUnavailable, StateUnavailable
from flagcast.notices.notice import Kind, notice_body, notice_entry, notice_id
from flagcast.notices.trouble import Known, Trouble
from flagcast.tasks.outgoing_message import Entry

CLAIMED_FOR = 60
"""Seconds for which the function that won the write has time to queue the notice; then another one may."""

PATIENCE = 2.0
"""Seconds in which a notice must be on the queue."""

COUNTED_IN = 1.0
"""Seconds in which SQS must say how many tasks wait, or else the notice does not say it."""


class Troubles(Protocol):
    """The state table, as far as troubles go; each raises StateUnavailable."""

    def begin(self, destination: str, trouble: Trouble, now: float, claimed_before: float) -> Trouble | None:
        """Claim a trouble without a notice: this one, or the one there is; None if it has one, or is claimed."""

    def look_up(self, destinations: Sequence[str]) -> Mapping[str, Known]:
        """Return the troubles there are."""

    def settle(self, destination: str, trouble: Trouble, *, is_told: bool) -> None:
        """Give a claim back, and say whether the notice of the trouble is queued."""

    def end(self, destination: str, trouble: Trouble, now: float, claimed_before: float) -> bool:
        """Claim the end of a trouble that has a notice; returns whether it was won."""

    def forget(self, destination: str, trouble: Trouble) -> None:
        """Forget a trouble that is over."""


class TaskQueue(Protocol):
    """The task queue; each raises QueueUnavailable."""

    def send(self, entries: Sequence[Entry], deadline: float) -> None:
        """Put every entry on the queue by the deadline (monotonic seconds)."""

    def waiting(self, deadline: float) -> int:
        """Return about how many tasks there are."""


class Journal(Protocol):
    """What the log says of notices."""

    def notice_queued(self, kind: str, destination: str, through: str, event_id: str) -> None:
        """Tell that a notice of a destination is on the queue."""

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        """Tell that the state table did not do something that can be done without."""

    def queue_failed(self, action: str, error: QueueUnavailable) -> None:
        """Tell that SQS did not do something that can be done without."""


class NoticePublisher:
    """Queues the notices that no other function has queued."""

    def __init__(
        self,
        through: str,
        ordering: Ordering,
        stack: str,
        troubles: Troubles,
        queue: TaskQueue,
        journal: Journal,
        clock: Clock,
    ) -> None:
        """Keep the edges; `through` is the destination that is notified, `stack` may be empty."""
        self.through = through
        self._ordering: Ordering = ordering
        self._stack = stack
        self._troubles = troubles
        self._queue = queue
        self._journal = journal
        self._clock = clock

    def tell_of_trouble(self, destination: str, trouble: Trouble) -> bool:
        """Queue the notice of a trouble unless another function does; returns whether none is left."""
        now = self._clock.now()
        try:
            claimed = self._troubles.begin(destination, trouble, now, now - CLAIMED_FOR)
            if claimed is None:
                return True
            is_told = self._is_queued("trouble", destination, claimed)
            self._troubles.settle(destination, claimed, is_told=is_told)
        except StateUnavailable as error:
            self._journal.state_failed("trouble", error)
            return False
        return is_told

    def known(self, destinations: Sequence[str]) -> Mapping[str, Known] | None:
        """Return the troubles there are of so many destinations; None if the table cannot say."""
        try:
            return self._troubles.look_up(destinations)
        except StateUnavailable as error:
            self._journal.state_failed("look up troubles", error)
            return None

    def tell_of_end(self, destination: str, trouble: Trouble) -> bool:
        """Queue the notice that a trouble is over unless another function does; returns whether none is left."""
        now = self._clock.now()
        try:
            if not self._troubles.end(destination, trouble, now, now - CLAIMED_FOR):
                return True
            if is_told := self._is_queued("recovered", destination, trouble):
                self._troubles.forget(destination, trouble)
            else:
                self._troubles.settle(destination, trouble, is_told=True)
        except StateUnavailable as error:
            self._journal.state_failed("trouble", error)
            return False
        return is_told

    def _is_queued(self, kind: Kind, destination: str, trouble: Trouble) -> bool:
        now, name = self._clock.now(), notice_id(kind, destination, trouble)
        body = notice_body(kind, destination, trouble, self._waiting(), self._stack, now)
        entry = notice_entry(name, body, destination, self.through, self._ordering, now)
        try:
            self._queue.send([entry], self._clock.monotonic() + PATIENCE)
        except QueueUnavailable as error:
            self._journal.queue_failed("notice", error)
            return False
        self._journal.notice_queued(kind, destination, self.through, name)
        return True

    def _waiting(self) -> int | None:
        try:
            return self._queue.waiting(self._clock.monotonic() + COUNTED_IN)
        except QueueUnavailable as error:
            self._journal.queue_failed("count", error)
            return None
