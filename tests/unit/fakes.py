"""What stands at the edges of a batch in tests, and what it told."""

from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Event, Lock
from typing import Any

from flagcast.config.model import Destination
from flagcast.config.secret_references import Text
from flagcast.delivery.attempt import Policy
from flagcast.delivery.batch_processor import BatchProcessor
from flagcast.errors import QueueUnavailable, StateUnavailable
from flagcast.tasks.outcomes import Answered, Decision, GiveUp, Outcome
from flagcast.tasks.progress import Progress
from flagcast.tasks.received_message import Message
from tests.unit.builders import FakeClock, message, middle

DELIVERED, DOWN, REFUSED = Answered(200), Answered(503), Answered(400, None, "no")
Step = Outcome | Exception | Callable[[], Outcome]


class World:
    """Everything at the edges of a batch; what happens is told in `told`, in order."""

    def __init__(self, steps: dict[str, Step] | None = None, *, refuses: Sequence[str] = ()) -> None:
        self.steps = steps or {}
        self.refuses = refuses
        self.clock = FakeClock()
        self.told: list[tuple[Any, ...]] = []
        self.written: list[tuple[Any, ...]] = []
        """What was told, and what was asked of the table between."""
        self.rows: dict[str, Progress] = {}
        self.saw: dict[str, Progress] = {}
        self.attempts: dict[str, int] = {}
        self.gives_up_at: dict[str, float | None] = {}
        self.decisions: dict[str, tuple[Outcome | None, Decision, float]] = {}
        self.writes_until_one_is_refused = 0
        self.refused_is_applied = False
        self.leaves_alone = False
        """Whether a table that refused once is not asked again, but by who insists."""
        self.killed = Event()
        self.deleted = Event()
        self.delete_failed = Event()
        self._lock = Lock()

    def run(self, messages: Sequence[Message], seconds: float = 300) -> list[str]:
        batch = BatchProcessor(self, self, self.dead_letter, self, self, self.clock, middle)
        return batch.run(messages, self.clock.monotonic() + seconds)

    def happened(self, what: str) -> list[list[Any]]:
        return [rest for kind, *rest in self.told if kind == what]

    def policy(self, message: Message) -> Policy:
        return Destination(url=Text("https://x"))

    def make(self, message: Message, progress: Progress) -> Outcome:
        if self.killed.is_set():
            return DOWN
        self._tell("made", message.id)
        self.saw[message.id] = progress
        step = self.steps.get(message.id, DELIVERED)
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    def delay(self, message: Message, seconds: int) -> None:
        self._do("delay", message.id, seconds)

    def hand_back(self, messages: Sequence[Message]) -> None:
        self._do("hand back", *(each.id for each in messages))

    def delete(self, messages: Sequence[Message]) -> None:
        self._do("delete", *(each.id for each in messages))
        self.deleted.set()

    def dead_letter(self, message: Message, given_up: GiveUp, attempts: int) -> None:
        self._do("dead letter", message.id, given_up)
        self.attempts[message.id] = attempts

    def read(self, message_ids: Sequence[str]) -> dict[str, Progress]:
        if "read" in self.refuses:
            raise StateUnavailable("no read")
        self.written.append(("read", *message_ids))
        return {name: self.rows[name] for name in message_ids if name in self.rows}

    def write(self, rows: Mapping[str, Progress], forgotten: Collection[str] = (), *, insists: bool = False) -> None:
        if self.killed.is_set():
            return
        with self._lock:
            self.written.append(("write", {name: row.starts for name, row in rows.items()}, *forgotten))
            self.writes_until_one_is_refused -= 1
            is_left_alone = self.leaves_alone and self.writes_until_one_is_refused < 0 and not insists
            is_refused = "write" in self.refuses or self.writes_until_one_is_refused == 0 or is_left_alone
            if not is_refused or (self.refused_is_applied and not is_left_alone):
                self.rows.update(rows)
                for name in forgotten:
                    self.rows.pop(name, None)
            if is_refused:
                raise StateUnavailable("no write")

    def attempted(
        self,
        message: Message,
        outcome: Outcome | None,
        decision: Decision,
        attempts: int,
        seconds: float,
        gives_up_at: float | None,
    ) -> None:
        self.gives_up_at[message.id] = gives_up_at
        self.decisions[message.id] = (outcome, decision, seconds)
        self.attempts[message.id] = attempts

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        self._tell("state failed", action, str(error))

    def queue_failed(self, action: str, error: QueueUnavailable) -> None:
        self._tell("failed", action, str(error))
        if action == "delete":
            self.delete_failed.set()

    def broke(self, error: BaseException) -> None:
        self._tell("broke", error)

    def kill(self) -> Outcome:
        """End the function as a kill does: from now on nothing of what it does is seen by anybody."""
        self.killed.set()
        return DOWN

    def _do(self, action: str, *what: object) -> None:
        if self.killed.is_set():
            return
        if action in self.refuses:
            raise QueueUnavailable(f"no {action}")
        self._tell(action, *what)

    def _tell(self, *what: object) -> None:
        with self._lock:
            self.told.append(what)
            self.written.append(what)


def group(name: str, *ids: str, **more: Any) -> list[Message]:
    return [message(name=each, group=name, **more) for each in ids]
