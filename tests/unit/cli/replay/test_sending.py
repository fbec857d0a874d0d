"""Sending, over a queue and a source in memory: order, how far it is, and what a stop in any place leaves."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flagcast.config.model import Ordering
from flagcast.events.change_context import NOTHING
from flagcast.events.replay import Replay
from flagcast.tasks.outgoing_message import Entry
from flagcast.tasks.task import Task, decode
from flagcast_cli.replay.kept_event import KeptEvent, NotReplayable
from flagcast_cli.replay.saved_replay import Progress, SavedReplay
from flagcast_cli.replay.sending import Sending
from tests.unit.builders import RECEIVED_AT, body

RUN = Replay("rpl_1", RECEIVED_AT)


class Stopped(BaseException):
    """The process is no more."""


class Position:
    """Stands for the file: what is remembered outlives a stop."""

    def __init__(self) -> None:
        self.progress = Progress()

    def advance(self, position: int, missing: Sequence[NotReplayable]) -> None:
        assert position > self.progress.position
        self.progress = Progress(position, tuple(missing))


class Kept:
    """Keeps an event of a key at each place."""

    def __init__(self, keys: Sequence[str | None]) -> None:
        self.keys = keys

    def fetch(self, refs: Sequence[str]) -> list[KeptEvent | NotReplayable]:
        return [self._at(int(each)) for each in refs]

    def _at(self, number: int) -> KeptEvent | NotReplayable:
        key = self.keys[number]
        if key is None:
            return NotReplayable(str(number), "gone")
        raw = b"{}" if key == "broken" else body(payload={"key": key, "n": number})
        return KeptEvent(str(number), f"evt_{number}", "flipt", RECEIVED_AT, raw, NOTHING)


class Tasks:
    """Takes requests, drops what it saw within five minutes, and stops before or after the request of a number."""

    def __init__(self) -> None:
        self.taken: list[Entry] = []
        self.requests: list[list[Entry]] = []
        self.stops: dict[int, str] = {}
        self.forgets = False

    def send(self, entries: Sequence[Entry], _: float) -> None:
        self.requests.append(list(entries))
        stop = self.stops.pop(len(self.requests), None)
        if stop == "before":
            raise Stopped
        seen = set() if self.forgets else {each.deduplication for each in self.taken}
        self.taken += [each for each in entries if each.deduplication not in seen]
        if stop == "after":
            raise Stopped

    def waiting(self, _: float) -> int:
        return 0


def saved(count: int, ordering: Ordering = "subject") -> SavedReplay:
    return SavedReplay(
        v=1, replay=RUN, queue="q", destination="later", ordering=ordering, kept_in="archive",
        refs=tuple(map(str, range(count))), rate=1000.0,
    )  # fmt: skip


def place(tasks: Tasks) -> Any:
    def stored(*_: object) -> None:
        raise AssertionError("no body is that large")

    return SimpleNamespace(tasks=tasks, bodies=SimpleNamespace(store=stored), now=lambda: 0.0, wait=lambda _: None)


def tasks_in(entries: Sequence[Entry]) -> list[Task]:
    read = [decode(each.body) for each in entries]
    assert all(isinstance(each, Task) for each in read)
    return [each for each in read if isinstance(each, Task)]


KEYS = st.lists(st.sampled_from("abc"), min_size=1, max_size=45)
STOPS = st.lists(st.sampled_from(["before", "after"]), max_size=4)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(KEYS, STOPS, st.integers(1, 12), st.booleans(), st.sampled_from(["subject", "destination", "none"]))
def test_however_often_it_is_stopped_nothing_is_lost_and_each_subject_comes_in_the_accepted_order(
    keys: list[str], stops: list[str], first: int, forgets: bool, ordering: Ordering
) -> None:
    file, tasks, made = Position(), Tasks(), saved(len(keys), ordering)
    tasks.forgets = forgets
    for number, stop in enumerate(stops):
        tasks.stops = {len(tasks.requests) + first + number: stop}
        try:
            Sending(made, file, Kept(keys), place(tasks)).run(lambda _: None)  # type: ignore[arg-type]  # a double
        except Stopped:
            continue
        break
    else:
        tasks.stops = {}
        Sending(made, file, Kept(keys), place(tasks)).run(lambda _: None)  # type: ignore[arg-type]  # a double
    assert file.progress.position == len(keys)
    sent = tasks_in(tasks.taken)
    assert {each.event_id for each in sent} == {f"evt_{number}" for number in range(len(keys))}
    assert forgets or len(sent) == len(keys)
    assert len({(each.event_id, each.id) for each in sent}) == len(keys)
    groups: dict[str, list[int]] = {}
    for entry, carried in zip(tasks.taken, sent, strict=True):
        groups.setdefault(entry.group, []).append(int(carried.event_id.removeprefix("evt_")))
    for numbers in groups.values():
        assert numbers == sorted(numbers)
    for request in tasks.requests:
        assert len({each.group for each in request}) == len(request) <= 10


def test_what_is_not_there_any_more_is_said_and_keeps_no_one_back() -> None:
    tasks, file = Tasks(), Position()
    sending = Sending(saved(4), file, Kept([None, "a", "broken", None]), place(tasks))  # type: ignore[arg-type]  # a double
    done: list[int] = []
    sending.run(done.append)
    assert [each.event_id for each in tasks_in(tasks.taken)] == ["evt_1"]
    assert [each.ref for each in sending.missing] == ["0", "2", "3"]
    assert "no type" in sending.missing[1].why
    assert (sending.sent, file.progress.position, done) == (1, 4, [2, 4])


@pytest.mark.parametrize("step", ["before", "after"])
def test_what_was_not_there_before_a_stop_is_still_said_after_it_and_once(step: str) -> None:
    """What a stopped run could not read was said by no one: the resumed one ended with 0, as if all had been sent."""
    tasks, file = Tasks(), Position()
    tasks.stops = {2: step}
    kept = Kept([None, "a", None, "a", "a", None])
    with pytest.raises(Stopped):
        Sending(saved(6), file, kept, place(tasks)).run(lambda _: None)  # type: ignore[arg-type]  # a double
    resumed = Sending(saved(6), file, kept, place(tasks))  # type: ignore[arg-type]  # a double
    resumed.run(lambda _: None)
    assert [each.ref for each in resumed.missing] == ["0", "2", "5"]
    assert [each.event_id for each in tasks_in(tasks.taken)] == ["evt_1", "evt_3", "evt_4"]


def test_nothing_that_is_left_is_no_work() -> None:
    file, tasks = Position(), Tasks()
    file.progress = Progress(3)
    sending = Sending(saved(3), file, Kept("abc"), place(tasks))  # type: ignore[arg-type]  # a double
    sending.run(lambda _: None)
    assert (tasks.requests, sending.sent) == ([], 0)


@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_a_slow_rate_is_one_event_a_request(rate: float, tmp_path: Path) -> None:
    tasks = Tasks()
    waits: list[float] = []
    now = 0.0

    def wait(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += seconds

    where = place(tasks)
    where.now, where.wait = (lambda: now), wait
    Sending(saved(3), Position(), Kept("abc"), where, rate).run(lambda _: None)  # type: ignore[arg-type]  # a double
    assert [len(each) for each in tasks.requests] == [1, 1, 1]
    assert waits == pytest.approx([1 / rate, 1 / rate])
