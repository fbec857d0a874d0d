"""What the functions' log adds to dead letters: what their events are called, and what was answered."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from flagcast_cli.console import CommandError, err, marked
from flagcast_cli.dlq.letters import Letter
from flagcast_cli.ledger.event_ids import Asked, ids_of
from flagcast_cli.ledger.rows import State
from flagcast_cli.ledger.shown_copy import with_copy
from flagcast_cli.ledger.stack_log import Copy
from flagcast_cli.stack.account import Account


class Told(Struct, frozen=True):
    """What the log says of a dead letter; None where it does not."""

    title: str | None = None
    answer: str | None = None


NOTHING = Told()


class Logged:
    """Asks the log about dead letters; without it nothing is known of any."""

    def __init__(self, copy: Copy | None) -> None:
        """Ask this copy of the log."""
        self.ledger: Asked | None = copy.store if copy else None

    def of(self, letter: Letter) -> Told:
        """Return what the log says of one; the last answer is its own only while the log has it as dead."""
        if self.ledger is None:
            return NOTHING
        found = self.ledger.ask(
            "SELECT title, state, answer FROM deliveries WHERE event_id = ? AND destination = ?",
            [letter.event_id, letter.destination],
        )
        if not found:
            return NOTHING
        [row] = found
        return Told(row["title"], row["answer"] if row["state"] == "dead-lettered" else None)

    def destinations(self) -> frozenset[str]:
        """Return the destinations that the log knows of."""
        found = self.ledger.ask("SELECT DISTINCT destination FROM fan_out") if self.ledger else []
        return frozenset(each["destination"] for each in found)


class Standing(Struct, frozen=True):
    """How a delivery stands that is no dead letter, and when it is tried next, in epoch milliseconds."""

    destination: str
    state: State
    next_attempt_at: int | None


def standings(ledger: Asked, given: str) -> dict[str, list[Standing]]:
    """Return how the deliveries of each event stand that begins so."""
    sql = "SELECT destination, state, next_attempt_at FROM deliveries WHERE event_id = ? ORDER BY destination"
    found = ids_of(ledger, given.partition(":")[0])
    return {event_id: [Standing(**row) for row in ledger.ask(sql, [event_id])] for event_id in found}


@contextmanager
def log_of(stack: str, account: Account, *, wanted: bool) -> Iterator[Copy | None]:
    """Yield the copy of a stack's log, brought up to date; None if it is unwanted, or cannot be had, which is said."""
    with ExitStack() as entered:
        copy = None
        if wanted:
            try:
                copy = entered.enter_context(with_copy(stack, account, offline=False))
            except CommandError as error:
                err.print(marked("Without what the functions' log says: {}", error), style="yellow", soft_wrap=True)
        yield copy
