"""What Flipt has, written into the known rows: what an event has written meanwhile stays."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Literal

from msgspec import Struct, structs

from flagcast.edges.aws.flipt_state_table import KEPT_FOR
from flagcast.flipt_state.changes import changes_between
from flagcast.flipt_state.row import UNKNOWN, Row, is_newer, learned, learned_gone
from flagcast.flipt_state.stored_state import kept
from flagcast.flipt_state.thing_keys import row_key
from flagcast.primitives.duration import DAY
from flagcast_cli.flipt_state.comparison import Gone
from flagcast_cli.flipt_state.snapshot import Present, Seen
from flagcast_cli.flipt_state.stored_rows import Rows, Stored

TRIES: Final = 5
TOGETHER: Final = 8
"""Rows that are written at the same time."""
RENEWED_AFTER: Final = 30 * DAY
"""A row that says what Flipt says is written again after this, so that it does not expire while Flipt is asked."""

Outcome = Literal["new", "changed", "gone", "renewed", "known", "newer", "contested"]
"""What became of a thing: its row is new, says something else, says that it is gone, or says the same for longer;
nothing was to be written; an event newer than Flipt's answer has written it; others wrote it again and again."""


class Learning(Struct, frozen=True):
    """One run: for which source, into which rows, with what Flipt has, and when (epoch seconds)."""

    source: str
    rows: Rows
    present: Present
    now: float


Write = Callable[[], Outcome]
Move = Callable[[Stored | None], tuple[Outcome, Row | None]]
"""From a row as it is stored to what is to be written, None for nothing."""


def writes(run: Learning, stored: Mapping[str, Stored], gone: list[Gone], *, dry: bool) -> list[Write]:
    """Return what is to be done, a call for each thing; `stored` are the rows as they were read before."""
    moves: list[tuple[str, Move]] = [
        (row_key(run.source, seen.thing), partial(_learned, run, seen)) for seen in run.present.things.values()
    ]
    moves += [(each.key, partial(_gone, run)) for each in gone]
    return [partial(_write, run.rows, key, stored.get(key), move, dry=dry) for key, move in moves]


def carry_out(calls: list[Write], advance: Callable[[], None]) -> Counter[Outcome]:
    """Make all calls, several at a time, and count what came of them; raises CommandError."""
    counts: Counter[Outcome] = Counter()
    with ThreadPoolExecutor(TOGETHER) as threads:
        for outcome in threads.map(lambda call: call(), calls):
            counts[outcome] += 1
            advance()
    return counts


def _write(rows: Rows, key: str, stored: Stored | None, move: Move, *, dry: bool) -> Outcome:
    """Write what a thing's row becomes, from the beginning where someone else has written it since."""
    for _ in range(TRIES):
        outcome, row = move(stored)
        if row is None or dry or rows.write(key, row, stored.version if stored else 0):
            return outcome
        stored = rows.read(key)
    return "contested"


def _learned(run: Learning, seen: Seen, stored: Stored | None) -> tuple[Outcome, Row | None]:
    before = (stored and stored.row) or UNKNOWN
    owned = _owned(before, seen)
    is_same = (
        before.state is not None
        and not before.is_deleted
        and not changes_between(seen.thing.type, before.state, seen.state)
    )
    if is_same:
        if owned != before:
            return "changed", owned
        is_old = stored is not None and stored.expires < run.now + KEPT_FOR - RENEWED_AFTER
        return ("renewed", before) if is_old else ("known", None)
    row = learned(owned, kept(seen.state), seen.asked, seen.answered)
    if row is None:
        return ("newer" if is_newer(before, seen.asked) else "known"), None
    return ("changed" if stored else "new"), row


def _gone(run: Learning, stored: Stored | None) -> tuple[Outcome, Row | None]:
    before = (stored and stored.row) or UNKNOWN
    row = learned_gone(before, run.present.asked, run.present.answered)
    if row is None:
        return ("newer" if is_newer(before, run.present.asked) else "known"), None
    return "gone", row


def _owned(row: Row, seen: Seen) -> Row:
    """Say in a row what its thing belongs to; the message group of a distribution's first event stays."""
    owned = structs.replace(row, namespace=seen.namespace, flag_key=seen.flag_key)
    if seen.thing.type != "distribution" or row.subject or seen.flag_key is None:
        return owned
    return structs.replace(owned, subject=("flag", seen.namespace, seen.flag_key))
