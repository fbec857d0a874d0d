"""What the ledger holds: events, attempts to deliver them, and requests that were rejected."""

from typing import Final, Literal, get_args

from msgspec import Struct

State = Literal[
    "queued",
    "retrying",
    "rate-limited",
    "paused",
    "circuit-open",
    "waiting",
    "delivered",
    "filtered",
    "dead-lettered",
]
"""What a delivery is in, by its last attempt; `queued` has none yet, `waiting` is held back by something else."""
STATES: Final[tuple[State, ...]] = get_args(State)
ENDS: Final[frozenset[State]] = frozenset({"delivered", "filtered", "dead-lettered"})


class Who(Struct, frozen=True, kw_only=True):
    """What a line says of who did what to which thing, which a row keeps as it is."""

    denied: bool = False
    subject: str | None = None
    namespace: str | None = None
    flag: str | None = None
    segment: str | None = None
    resource: str | None = None
    actor: str | None = None
    title: str | None = None
    more_changes: int = 0


class Event(Who, frozen=True):
    """An accepted event; `id` is CloudWatch's of its line, `at` epoch milliseconds.

    `changes` is JSON, None where what was there before is unknown. With LogNames=off only the fields without a default
    are there.
    """

    id: str
    event_id: str
    at: int
    source: str
    type: str
    action: str
    destinations: tuple[str, ...]
    changes: str | None = None


class Result(Struct, frozen=True, kw_only=True):
    """What a line says of what came of an attempt, which a row keeps as it is."""

    message_id: str = ""
    attempt: int = 0
    receives: int = 0
    duration_ms: int = 0
    status: int | None = None
    why: str | None = None
    cause: str | None = None
    detail: str | None = None
    reason: str | None = None
    answer: str | None = None
    waits_for: str | None = None
    replay: str | None = None


class Attempt(Result, frozen=True):
    """What came of one delivery at one time; times in epoch milliseconds.

    `attempt` counts the requests so far: it stays where none was made.
    """

    id: str
    event_id: str
    destination: str
    at: int
    state: State
    next_attempt_at: int | None = None
    gives_up_at: int | None = None


class Rejection(Struct, frozen=True):
    """A request that was not accepted; `source` is - where the configuration has none of that name."""

    id: str
    at: int
    source: str
    reason: str


Row = Event | Attempt | Rejection
