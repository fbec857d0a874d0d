"""Events of the dead-letter queue: of each event one, whichever destinations it is dead for. The letters stay."""

from collections.abc import Iterator, Sequence
from typing import Final

from flagcast.tasks.task import NO_DESTINATION
from flagcast_cli.console import err
from flagcast_cli.dlq.bodies import Contents
from flagcast_cli.dlq.held_letters import Held
from flagcast_cli.dlq.letters import Absent, Letter
from flagcast_cli.replay.kept_event import KeptEvent, NotReplayable, Where
from flagcast_cli.stack.queues import StackQueues

_GONE: Final = "it is not in the dead-letter queue any more"


class DeadLetterSource:
    """A stack's dead letters, received once and handed back; a body that is stored apart is fetched when it is read."""

    def __init__(self, place: StackQueues) -> None:
        """Receive nothing yet."""
        self._place = place
        self._contents = Contents(place.bodies)
        self._letters: dict[str, Letter] | None = None

    def events(self, where: Where) -> Iterator[KeptEvent | NotReplayable]:
        """Yield an event for each that has a dead letter; bodies that were no event are none."""
        for name in self._collected():
            if where.names(name):
                yield self._read(name)

    def fetch(self, refs: Sequence[str]) -> list[KeptEvent | NotReplayable]:
        """Return the events of ids."""
        return [self._read(each) for each in refs]

    def _collected(self) -> dict[str, Letter]:
        if self._letters is None:
            with Held(self._place) as held:
                found = [each for each in held.collect() if each.task and each.destination != NO_DESTINATION]
            if held.elsewhere:
                err.print(f"{held.elsewhere} more may be held by another command at the moment.", soft_wrap=True)
            self._letters = {each.event_id: each for each in sorted(found, key=lambda each: each.order)}
        return self._letters

    def _read(self, name: str) -> KeptEvent | NotReplayable:
        letter = self._collected().get(name)
        if letter is None or letter.task is None:
            return NotReplayable(name, _GONE)
        task, raw = letter.task, self._contents.raw(letter)
        if isinstance(raw, Absent):
            return NotReplayable(name, raw.why)
        _, sequence = letter.order
        return KeptEvent(name, task.event_id, task.source, task.received_at, raw, task.known, sequence)
