"""What became of dead letters that were sent again: asked of the log, until all are settled or time is up."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from flagcast_cli.dlq.letters import Letter
from flagcast_cli.ledger.event_ids import Asked
from flagcast_cli.ledger.rows import ENDS, State

WITHIN: Final = 120.0
"""Seconds to wait: an attempt ends within a minute, and CloudWatch shows its line some seconds later."""
EVERY: Final = 2.0

Seen = frozenset[str]
"""The attempts that the log had before anything was sent."""


class Became(Struct, frozen=True):
    """What a letter is since it was sent again; `state` is queued while no attempt is known of."""

    letter: Letter
    state: State
    status: int | None = None
    reason: str | None = None
    answer: str | None = None
    next_attempt_at: int | None = None

    @property
    def is_over(self) -> bool:
        """Return whether nothing follows by itself."""
        return self.state in ENDS


def attempts_seen(ledger: Asked, letters: Sequence[Letter]) -> Seen:
    """Return the attempts that the log has of letters, before they are sent."""
    return frozenset(row["id"] for each in letters for row in _attempts(ledger, each))


def became(ledger: Asked, letters: Sequence[Letter], seen: Seen) -> list[Became]:
    """Return what each letter is by its last attempt since; a line that came late is told by its message."""
    found = []
    for each in letters:
        before = {each.id, each.said.get("message_id", "")}
        new = [row for row in _attempts(ledger, each) if row["id"] not in seen and row["message_id"] not in before]
        found.append(_of(each, new[-1]) if new else Became(each, "queued"))
    return found


def watch(
    ledger: Asked,
    letters: Sequence[Letter],
    seen: Seen,
    bring_up_to_date: Callable[[], None],
    now: Callable[[], float],
    wait: Callable[[float], None],
) -> list[Became]:
    """Wait until every letter is settled, or waits for longer than there is time; returns what each is."""
    until = now() + WITHIN
    while True:
        bring_up_to_date()
        found = became(ledger, letters, seen)
        if now() >= until or all(each.is_over or _later(each, until) for each in found):
            return found
        wait(EVERY)


def _later(each: Became, until: float) -> bool:
    return each.next_attempt_at is not None and each.next_attempt_at / 1000 > until


def _of(letter: Letter, row: Mapping[str, Any]) -> Became:
    said = {name: row[name] for name in ("state", "status", "reason", "next_attempt_at")}
    return Became(letter, answer=row["answer"] or row["detail"] or row["cause"], **said)


def _attempts(ledger: Asked, letter: Letter) -> list[dict[str, Any]]:
    return ledger.ask(
        "SELECT * FROM attempts WHERE event_id = ? AND destination = ? ORDER BY at, receives, id",
        [letter.event_id, letter.destination],
    )
