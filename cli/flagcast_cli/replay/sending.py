"""Sends the events of a replay, in order, and remembers how far it is.

Why order holds, and nothing is lost, however often it is stopped: one request at a time, no two messages of one group
in it, and the next one only after the file says that this one is sent. What is not known to be sent is the last of its
group that SQS has seen, so it is sent again before any later one: within five minutes SQS drops the second one by its
deduplication id, later the destination gets it twice.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from typing import Final

from msgspec import Struct

from flagcast.errors import BodyUnavailable, QueueUnavailable
from flagcast.events.event import InvalidEvent, Origin, parse
from flagcast.ingest.fan_out import for_replay
from flagcast.tasks.outgoing_message import Entry
from flagcast_cli.console import CommandError
from flagcast_cli.dlq.redrive_plan import MOST_ENTRIES, batches
from flagcast_cli.replay.kept_event import KeptEvent, NotReplayable, Source
from flagcast_cli.replay.saved_replay import ReplayFile, SavedReplay
from flagcast_cli.stack.queues import StackQueues

MOST_WAITING: Final = 10_000
"""Messages on the task queue above which nothing is sent until there are fewer.

SQS looks through the first 120,000 messages for a group that it can hand out, so a longer backlog would hold up live
events behind it:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/avoid-backlog-with-the-same-message-group-id.html
"""
COUNTED_EVERY: Final = 500
"""Events after which the queue is counted again."""
TRIES: Final = 5
"""How often one request is tried, after 1, 2, 4 and 8 seconds."""
_FETCHED: Final = 2 * MOST_ENTRIES
_WITHIN: Final = 10.0
_LOOK_EVERY: Final = 5.0


class Outgoing(Struct, frozen=True):
    """One message, where its event is among those of the replay, and the body that must be stored first, if any."""

    entry: Entry
    position: int
    body: tuple[str, bytes] | None


class Sending:
    """One run; what has become of the events can be read at any time, also after it was interrupted."""

    def __init__(
        self, saved: SavedReplay, file: ReplayFile, source: Source, place: StackQueues, rate: float | None = None
    ) -> None:
        """Begin where the file says; `rate` replaces the saved one."""
        self._rate = rate or saved.rate
        self._saved = saved
        self._file = file
        self._source = source
        self._place = place
        before = file.progress
        self.begun_at = before.position
        self.position = self.begun_at
        self.sent = 0
        """Messages that SQS took in this run."""
        self._missing_before = before.missing
        self._missing_now: dict[int, NotReplayable] = {}
        self._due = place.now()

    @property
    def missing(self) -> list[NotReplayable]:
        """Return the events that could not be read, in this run or in one before it."""
        return [*self._missing_before, *self._missing_now.values()]

    def run(self, done: Callable[[int], None]) -> None:
        """Send what is not sent yet, and tell `done` after each request how many events are settled.

        Raises CommandError where AWS does not take one; the file then says where to go on.
        """
        most = max(1, min(MOST_ENTRIES, int(self._rate)))
        counted_at = self.begun_at - COUNTED_EVERY
        for batch in self._batches(most):
            if batch[0].position - counted_at >= COUNTED_EVERY:
                self._wait_for_room()
                counted_at = batch[0].position
            self._keep_to_rate(len(batch))
            self._send(batch)
            self.sent += len(batch)
            self._advance(batch[-1].position + 1)
            done(self.position)
        self._advance(len(self._saved.refs))
        done(self.position)

    def _batches(self, most: int) -> Iterator[list[Outgoing]]:
        places = range(self.begun_at, len(self._saved.refs))
        for window in batched(places, _FETCHED, strict=False):
            kept = self._source.fetch([self._saved.refs[each] for each in window])
            yield from batches(self._messages(window, kept), most)

    def _messages(self, positions: Sequence[int], kept: Sequence[KeptEvent | NotReplayable]) -> Iterator[Outgoing]:
        for position, each in zip(positions, kept, strict=True):
            made = message_of(each, self._saved, position)
            if isinstance(made, NotReplayable):
                self._missing_now[position] = made
            else:
                yield made

    def _send(self, batch: Sequence[Outgoing]) -> None:
        for number in range(1, TRIES + 1):
            try:
                for each in batch:
                    if each.body is not None:
                        self._place.bodies.store(*each.body, time.monotonic() + _WITHIN)
                self._place.tasks.send([each.entry for each in batch], time.monotonic() + _WITHIN)
            except (QueueUnavailable, BodyUnavailable) as error:
                if number == TRIES:
                    raise CommandError(f"AWS does not take the events: {error}") from error
                self._place.wait(2.0 ** (number - 1))
            else:
                return

    def _wait_for_room(self) -> None:
        try:
            while self._place.tasks.waiting(time.monotonic() + _WITHIN) > MOST_WAITING:
                self._place.wait(_LOOK_EVERY)
        except QueueUnavailable as error:
            raise CommandError(f"the task queue could not be counted: {error}") from error

    def _keep_to_rate(self, count: int) -> None:
        """Wait until a request is due; time that was lost is not made up for."""
        if (ahead := self._due - self._place.now()) > 0:
            self._place.wait(ahead)
        self._due = self._place.now() + count / self._rate

    def _advance(self, position: int) -> None:
        if position > self.position:
            # What lies behind that is read again.
            settled = (each for place, each in self._missing_now.items() if place < position)
            self._file.advance(position, [*self._missing_before, *settled])
            self.position = position


def message_of(kept: KeptEvent | NotReplayable, saved: SavedReplay, position: int) -> Outgoing | NotReplayable:
    """Make the message of one event of a replay: the same each time that it is made."""
    if isinstance(kept, NotReplayable):
        return kept
    origin = Origin(kept.event_id, kept.source, received_at=kept.received_at, replay=saved.replay)
    event = parse(kept.raw, origin, kept.known)
    if isinstance(event, InvalidEvent):
        return NotReplayable(kept.ref, f"it is not an event ({event.detail})")
    messages = for_replay(event, saved.destination, saved.ordering, saved.replay)
    body = None if messages.body_ref is None else (messages.body_ref, kept.raw)
    return Outgoing(messages.entries[saved.destination], position, body)
