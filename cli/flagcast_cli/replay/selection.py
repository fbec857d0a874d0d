"""Which events a replay sends: options, and the events that are kept for which all of it holds."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import Final

import msgspec
from msgspec import Struct

from flagcast.events.event import Event, InvalidEvent
from flagcast.events.replay import Replay
from flagcast.events.subject import subject, subject_digest
from flagcast.summaries import log_fields
from flagcast.summaries.action_phrases import title
from flagcast_cli.console import CommandError
from flagcast_cli.history import queries
from flagcast_cli.history.filter import Filter, require_known
from flagcast_cli.ledger.event_ids import SHORTEST_PREFIX, bare
from flagcast_cli.ledger.log_line import LogEvent, row_of
from flagcast_cli.ledger.rows import Row
from flagcast_cli.ledger.store import Store
from flagcast_cli.replay.kept_event import KeptEvent, NotReplayable, Where
from flagcast_cli.replay.later_events import Replayable
from flagcast_cli.replay.target import Rejection, Target

_TOGETHER: Final = 500


class Chosen(Struct, frozen=True):
    """What would be sent, in the order in which it was accepted, and what is left out."""

    events: tuple[Replayable, ...]
    rejected: dict[Rejection, int]
    unusable: tuple[NotReplayable, ...]


def where_of(wanted: Filter, ids: Sequence[str]) -> Where:
    """Return which events are looked at at all; raises CommandError for what is too short to name one."""
    for each in ids:
        if len(bare(each)) < SHORTEST_PREFIX:
            raise CommandError(
                f"{each} is too short to name an event", f"Give {SHORTEST_PREFIX} characters of its id or more."
            )
    return Where(wanted.source, wanted.since, wanted.until, tuple(map(bare, ids)))


def choose(
    kept: Iterable[KeptEvent | NotReplayable],
    where: Where,
    wanted: Filter,
    target: Target,
    replay: Replay,
    index: Store,
    named: str,
) -> Chosen:
    """Return what is asked for of all that is kept.

    `index` is an empty ledger, in which the same questions are asked as of the log; `named` says where it is kept.
    Raises CommandError for a value that nothing there has.
    """
    found: dict[str, tuple[Replayable, Rejection | None]] = {}
    unusable: list[NotReplayable] = []
    for some in batched(_in_time(kept, where), _TOGETHER, strict=False):
        rows: list[Row] = []
        for each in some:
            if isinstance(each, NotReplayable):
                unusable.append(each)
            elif isinstance(read := target.read(each, replay), InvalidEvent):
                unusable.append(NotReplayable(each.ref, f"it is not an event ({read.detail})"))
            elif read.is_notice:
                unusable.append(NotReplayable(each.ref, "it is a notice of Flagcast's own, which is no event"))
            elif each.event_id not in found or each.at < found[each.event_id][0].at:
                found[each.event_id] = _replayable(each, read), target.rejects(read)
                rows.append(_row(each, read))
        index.add(rows)
    _require_named(where, found, unusable)
    if found:
        require_known(index, wanted, named)
    matched = [found[row["event_id"]] for row in queries.events(index, wanted, 0).rows]
    rejected: dict[Rejection, int] = {}
    for _, why in matched:
        if why is not None:
            rejected[why] = rejected.get(why, 0) + 1
    events = sorted((each for each, why in matched if why is None), key=lambda each: each.order)
    return Chosen(tuple(events), rejected, tuple(unusable))


def _in_time(kept: Iterable[KeptEvent | NotReplayable], where: Where) -> Iterator[KeptEvent | NotReplayable]:
    for each in kept:
        if isinstance(each, NotReplayable) or where.includes(each.at):
            yield each


def _require_named(where: Where, found: Iterable[str], unusable: Sequence[NotReplayable]) -> None:
    there = [bare(each) for each in found]
    for given in where.ids:
        beginning = [each for each in there if each.startswith(given)]
        if not beginning and (broken := [each for each in unusable if given in each.ref]):
            raise CommandError(f"evt_{given} cannot be replayed: {broken[0].why}")
        if not beginning:
            raise CommandError(
                f"there is no event {given} to replay", "`flagcast events` lists those of the log, with their ids."
            )
        if len(beginning) > 1:
            raise CommandError(f"several events begin with {given}", *sorted(f"evt_{each}" for each in beginning))


def _replayable(kept: KeptEvent, event: Event) -> Replayable:
    return Replayable(
        ref=kept.ref,
        event_id=kept.event_id,
        at=kept.at,
        subject=subject_digest(subject(event)),
        order=(kept.at, kept.sequence, kept.event_id),
        what=title(event),
        kind=f"{event.type} {event.action}",
    )


def _row(kept: KeptEvent, event: Event) -> Row:
    """Make the row that the ledger would have, of the line that ingest would have logged with every name."""
    line = {
        "event": "event.accepted",
        "event_id": kept.event_id,
        "source": kept.source,
        **log_fields.of_event(event, names=True),
    }
    row = row_of(LogEvent(kept.event_id, "", kept.at, msgspec.json.encode(line).decode()))
    # A line of this kind always has a row.
    assert row is not None
    return row
