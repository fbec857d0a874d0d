"""What is written down in a run: by the client, by the receiver, and about what was done to the functions."""

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping

from msgspec import Struct, field

from tests.loss_check.events import Made

TaskId = str
"""Event id, colon, destination: as Webhook-Id and path say it."""


class Sending(Struct):
    """One event as its client saw it; ticks order everything that happened in a run."""

    event: Made
    statuses: list[int | None] = field(default_factory=list)
    """None where no answer came."""
    first_sent: int = 0
    accepted: int | None = None
    accepted_at: float = 0.0
    generation: int = 0

    @property
    def is_accepted(self) -> bool:
        return self.accepted is not None


class Arrival(Struct):
    """One request as the receiver saw it."""

    task: TaskId
    tick: int
    at: float
    generation: int
    pid: int
    action: str = ""
    status: int | None = None
    """What was answered, where that reached the client for all that can be known."""
    is_lost: bool = False
    """The request was read whole and might have been worked on, but the answer was kept back or cut off."""
    wants_rest: bool = False
    call: int = 0
    """The number that the process gave the attempt."""


class Invocation(Struct):
    """One call of the deliver function."""

    tasks: Mapping[TaskId, list[str]]
    """Each with the ids of the messages that carried it, in the order received."""
    began: float
    began_tick: int
    pid: int = 0
    troubles: list[str] = field(default_factory=list)
    """Faults that struck it."""
    killed_by: str | None = None
    ended_tick: int | None = None
    forgotten: bool = False
    """Its answer was lost: Lambda deleted nothing."""


class Letter(Struct):
    """One dead letter, as found on its queue."""

    task: TaskId
    reason: str
    status: str
    at: float
    tick: int
    pid: int
    message_id: str
    of: str
    """Id of the task's message, as the letter says it."""


class Put(Struct, frozen=True):
    """One send of a dead letter that its queue took, or swallowed as a repeat."""

    asked: int
    tick: int
    pid: int
    call: int
    """The number that the process gave the call."""
    is_answered: bool
    """Whether the function was told so; on a busy machine it may have given up by then."""


class Ledger:
    """Everything a judge may look at."""

    def __init__(self) -> None:
        self.sendings: dict[int, Sending] = {}
        self.arrivals: list[Arrival] = []
        self.invocations: list[Invocation] = []
        self.letters: list[Letter] = []
        self.puts: dict[str, list[Put]] = {}
        """The sends of each dead letter, by its message id."""
        self.redriven: set[str] = set()
        """Message ids of the dead letters that were sent back."""
        self.resent: Counter[TaskId] = Counter()
        """How often a replayed task may be on the queue once more, as it was not known to be there."""
        self.unheard: set[tuple[int, int]] = set()
        """Calls and attempts that a process waited for in vain, for as long as it may: its id, and their numbers."""
        self.leaks: list[str] = []
        self.breaks: list[str] = []
        """What should not happen to a function whatever befalls it: an error that it raises, a call without end."""
        self._ticks = itertools.count(1)
        self._counts: defaultdict[TaskId, int] = defaultdict(int)
        self._lock = threading.Lock()

    def tick(self) -> int:
        with self._lock:
            return next(self._ticks)

    def put(self, message_id: str, asked: int, pid: int, call: int, *, is_answered: bool) -> None:
        """Keep a send of a dead letter that its queue took."""
        with self._lock:
            self.puts.setdefault(message_id, []).append(Put(asked, next(self._ticks), pid, call, is_answered))

    def is_heard(self, put: Put) -> bool:
        """Return whether the function knew that its dead letter is on the queue."""
        return put.is_answered and (put.pid, put.call) not in self.unheard

    def arrived(self, arrival: Arrival) -> int:
        """Keep a request; returns how many there were of its task before."""
        with self._lock:
            arrival.tick = next(self._ticks)
            self.arrivals.append(arrival)
            self._counts[arrival.task] += 1
            return self._counts[arrival.task] - 1
