"""The operator who replays to a destination that is added when all is sent, and is stopped at every step of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from flagcast.edges.aws.queue import Queue
from flagcast.events.change_context import NOTHING
from flagcast.events.replay import Replay
from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.console import CommandError
from flagcast_cli.replay.kept_event import KeptEvent, NotReplayable, Where
from flagcast_cli.replay.saved_replay import ReplayFile, SavedReplay
from flagcast_cli.replay.sending import MOST_WAITING
from flagcast_cli.replay.sending import Sending as Replaying
from tests.loss_check import setup
from tests.loss_check.callers import Caller, Run
from tests.loss_check.events import SOURCE
from tests.loss_check.faulty_cloud import FaultyCloud
from tests.loss_check.ledger import Sending
from tests.loss_check.workers import Place

LONG = 400.0
"""Simulated seconds before a replay is resumed now and then: SQS has forgotten what was sent before."""
RESUMED_LATE = 0.3
RATE = 1000.0
"""Events a second: faster than anything else in a run."""


class Ended(BaseException):
    """The command's process is no more."""


class Replayer(Caller):
    """Replays what was accepted once the client is done, and resumes it each time that it is stopped."""

    def __init__(self, run: Run, place: Place, folder: Path) -> None:
        super().__init__(run, place)
        self._file = ReplayFile(folder / "rpl_0.json")
        self._saved: SavedReplay | None = None
        self._events: list[Sending] = []
        self._stops = 0
        self.due: float | None = None
        """When it is resumed; None where it does not wait."""
        self.is_done = not run.plan.replays

    def act(self) -> bool:
        run = self.run
        if self.is_done or not run.client.is_done or (self.due is not None and run.clock.now() < self.due):
            return False
        self.due = None
        if self._saved is None:
            if not self._has_room:
                return False
            run.add_destination()
            self._saved = self._start()
        queue = Queue(OperatorsSqs(run.cloud, run.ledger.resent), run.cloud.url)
        place: Any = SimpleNamespace(tasks=queue, bodies=Bodies(run.cloud), now=run.clock.now, wait=self._wait)
        try:
            Replaying(self._saved, self._file, self, place).run(lambda _: Caller.tell())
        except (Ended, CommandError) as stopped:
            self._stops += 1
            run.strikes.strike(f"replay: {'killed' if isinstance(stopped, Ended) else 'given up'}, and resumed")
            if run.dice.roll("resumed late", self._stops) < RESUMED_LATE:
                self.due = run.clock.now() + LONG
        else:
            self.is_done = True
        return True

    @property
    def _has_room(self) -> bool:
        """Return whether the queue is short enough for all of it.

        The command would wait for that, and as a wait here moves the clock on at once, everything else would expire.
        """
        waiting = self.run.cloud.simulator.queue(self.run.cloud.url).messages
        return len(waiting) <= MOST_WAITING / 2

    def events(self, where: Where) -> Iterator[KeptEvent | NotReplayable]:
        """Yield nothing: the events of a run are known without a search."""
        yield from ()

    def fetch(self, refs: Sequence[str]) -> list[Any]:
        """Return the events as an archive has them."""
        return [_kept(self._events[int(each)]) for each in refs]

    def _start(self) -> SavedReplay:
        sendings = [each for each in self.run.ledger.sendings.values() if is_replayed(each)]
        self._events = sorted(sendings, key=lambda each: each.accepted or 0)
        saved = SavedReplay(
            v=1, replay=Replay("rpl_0", rfc3339(self.run.clock.now())), queue=self.run.cloud.url,
            destination=setup.ADDED, ordering=setup.ORDERING[setup.ADDED], kept_in="archive",
            refs=tuple(map(str, range(len(self._events)))), rate=RATE,
        )  # fmt: skip
        self._file.save(saved)
        return saved

    def _wait(self, seconds: float) -> None:
        """Move the clock on at once."""
        self.run.clock.advance(seconds)


class OperatorsSqs:
    """SQS as the operator's command sees it."""

    def __init__(self, cloud: FaultyCloud, resent: Counter[str]) -> None:
        self._cloud = cloud
        self._resent = resent

    def send_message_batch(self, **arguments: Any) -> dict[str, Any]:
        fault = self._cloud.strike("replay", arguments)
        match fault:
            case "refused":
                raise ClientError({"Error": {"Code": "InternalFailure", "Message": "no"}}, "SendMessageBatch")
            case "unreachable":
                raise EndpointConnectionError(endpoint_url="sqs")
            case "killed before":
                raise Ended
        reply: dict[str, Any] = self._cloud.simulator.send_message_batch(**arguments)
        if fault in ("killed after", "answer lost"):
            # SQS drops them if they are sent again soon; later they are on the queue twice.
            self._resent.update(setup.task_of(each["MessageBody"]) for each in arguments["Entries"])
        if fault == "killed after":
            raise Ended
        if fault == "answer lost":
            raise ReadTimeoutError(endpoint_url="sqs")
        return reply

    def get_queue_attributes(self, **arguments: Any) -> dict[str, Any]:
        return self._cloud.simulator.get_queue_attributes(**arguments)


class Bodies:
    """The bucket of bodies as the operator's command sees it."""

    def __init__(self, cloud: FaultyCloud) -> None:
        self._cloud = cloud

    def store(self, ref: str, raw: bytes, _: float) -> None:
        self._cloud.objects[ref] = raw


def is_replayed(sending: Sending) -> bool:
    """Return whether an event is among those that are replayed: of every third subject."""
    return sending.is_accepted and sending.event.kind == "genuine" and int(sending.event.subject[-1]) % 3 == 0


def _kept(sending: Sending) -> KeptEvent:
    event = sending.event
    return KeptEvent(str(event.number), event.event_id, SOURCE, rfc3339(sending.accepted_at), event.body, NOTHING)
