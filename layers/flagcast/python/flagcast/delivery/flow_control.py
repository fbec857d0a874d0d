"""What may hold a request back: a pause, a destination's rate, and its circuit."""

from collections.abc import Callable
from typing import Protocol

from flagcast.clock import Clock
from flagcast.config.model import Destination
from flagcast.delivery.batch_progress import Journal
from flagcast.delivery.decision import rest_of
from flagcast.delivery.retry_schedule import LONGEST_DELAY, SHORTEST_DELAY
from flagcast.errors import StateUnavailable
from flagcast.tasks.outcomes import Outcome, Paused, Slowed, Throttled
from flagcast.tasks.progress import SLOT_KEPT_FOR, Progress

LOOKED_UP_EVERY = 5.0
"""Seconds for which it is taken as known whether a destination has asked for rest."""


class Slots(Protocol):
    """The state table, as far as destinations go; each raises StateUnavailable."""

    def take_slot(self, destination: str, interval: float) -> float:
        """Take the next free slot, in epoch seconds, now or later."""

    def rest(self, destination: str, until: float) -> None:
        """Let a destination rest until a time, or longer if it does already."""

    def rests_until(self, destination: str) -> float:
        """Return until when a destination is to rest; 0 if it is not."""


class Circuits(Protocol):
    """The circuit of each destination."""

    def guard(self, destination: str, attempt: Callable[[], Outcome]) -> Outcome:
        """Make an attempt unless the circuit is open."""


class FlowControl:
    """The gates of every destination; where the state table fails, they stand open."""

    def __init__(
        self, slots: Slots, circuits: Circuits, journal: Journal, clock: Clock, wait: Callable[[float], None]
    ) -> None:
        """Keep what is asked; `wait` passes so many seconds."""
        self._slots = slots
        self._circuits = circuits
        self._journal = journal
        self._clock = clock
        self._wait = wait
        self._rests: dict[str, tuple[float, float]] = {}

    def through(
        self, name: str, destination: Destination, progress: Progress, attempt: Callable[[], Outcome]
    ) -> Outcome:
        """Make an attempt if nothing holds it back."""
        if destination.paused:
            return Paused()
        if (held := self._held(name, destination, progress)) is not None:
            return held
        outcome = self._circuits.guard(name, attempt)
        if (seconds := rest_of(outcome, destination.retry)) is not None:
            self._rest(name, seconds)
        return outcome

    def _held(self, name: str, destination: Destination, progress: Progress) -> Throttled | Slowed | None:
        now = self._clock.now()
        if (until := self._rests_until(name, now)) > now:
            return Slowed(until)
        # Where the row of a task cannot be read, nor can the slot that it may have.
        if destination.rate_limit is None or progress.is_guess:
            return None
        slot = progress.slot
        if slot is None or slot < now - SLOT_KEPT_FOR:
            try:
                slot = self._slots.take_slot(name, destination.rate_limit.interval)
            except StateUnavailable as error:
                self._journal.state_failed("slot", error)
                return None
        if slot - now >= SHORTEST_DELAY:
            return Throttled(slot)
        # SQS delays by whole seconds: a group that is deferred for each of its tasks would do one a second at most.
        self._wait(max(slot - now, 0))
        return None

    def _rests_until(self, name: str, now: float) -> float:
        looked_up, until = self._rests.get(name, (0.0, 0.0))
        if now - looked_up >= LOOKED_UP_EVERY:
            try:
                until = max(until, self._slots.rests_until(name))
            except StateUnavailable as error:
                self._journal.state_failed("look up rest", error)
            self._rests[name] = now, until
        return until

    def _rest(self, name: str, seconds: float) -> None:
        """Let the whole destination rest: the next task would get the same answer."""
        now = self._clock.now()
        until = max(now + min(seconds, LONGEST_DELAY), self._rests_until(name, now))
        self._rests[name] = now, until
        try:
            self._slots.rest(name, until)
        except StateUnavailable as error:
            self._journal.state_failed("rest", error)
