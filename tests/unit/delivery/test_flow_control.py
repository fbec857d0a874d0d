from collections.abc import Callable
from typing import Any

import pytest

from flagcast.delivery.flow_control import LOOKED_UP_EVERY, FlowControl
from flagcast.delivery.retry_schedule import LONGEST_DELAY
from flagcast.errors import StateUnavailable
from flagcast.tasks.outcomes import (
    Answered,
    CircuitOpen,
    DependencyFailed,
    NotAccepted,
    NotNow,
    Outcome,
    Paused,
    Slowed,
    Throttled,
    Unreachable,
)
from flagcast.tasks.progress import NEW, SLOT_KEPT_FOR, Progress
from tests.unit.builders import FakeClock, destination

NOW = 1000.0
DELIVERED = Answered(200)
YEAR = 365 * 86_400.0


class Table:
    """Slots and rests as the state table keeps them; `down` names the calls that fail."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.down: set[str] = set()
        self.next: dict[str, float] = {}
        self.rests: dict[str, float] = {}
        self.calls: list[str] = []

    def take_slot(self, destination: str, interval: float) -> float:
        self._call("take_slot")
        slot = max(self.next.get(destination, 0.0), self.clock.now())
        self.next[destination] = slot + interval
        return slot

    def rest(self, destination: str, until: float) -> None:
        self._call("rest")
        self.rests[destination] = max(until, self.rests.get(destination, 0.0))

    def rests_until(self, destination: str) -> float:
        self._call("rests_until")
        return self.rests.get(destination, 0.0)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.down:
            raise StateUnavailable("away")


class World:
    """Gates of several functions over one table; what they tell and how long they wait."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.table = Table(self.clock)
        self.told: list[str] = []
        self.waited: list[float] = []
        self.open: list[str] = []
        self.answer: Outcome = DELIVERED
        self.requests: list[float] = []
        self.gates = self.function()

    def function(self) -> FlowControl:
        return FlowControl(self.table, self, self, self.clock, self.wait)

    def through(
        self, progress: Progress = NEW, name: str = "d", gates: FlowControl | None = None, **keys: Any
    ) -> Outcome:
        return (gates or self.gates).through(name, destination(**keys), progress, self.attempt)

    def attempt(self) -> Outcome:
        self.requests.append(self.clock.now())
        return self.answer

    def guard(self, destination: str, attempt: Callable[[], Outcome]) -> Outcome:
        return CircuitOpen() if destination in self.open else attempt()

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        self.told.append(action)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.clock.pass_(seconds)


def test_what_nothing_holds_back_is_attempted() -> None:
    world = World()
    assert world.through() == DELIVERED
    assert world.table.calls == ["rests_until"]


def test_a_paused_destination_is_asked_nothing_and_takes_no_slot() -> None:
    world = World()
    assert world.through(paused=True, rate_limit="1/s") == Paused()
    assert (world.requests, world.table.calls) == ([], [])


def test_an_open_circuit_is_its_own_outcome() -> None:
    world = World()
    world.open = ["d"]
    assert world.through() == CircuitOpen()
    assert world.through(name="other") == DELIVERED


# A group whose every task was put off by the shortest delay that SQS has did one a second, at a rate of 50/s.
def test_a_slot_within_a_second_is_waited_for_and_a_later_one_is_put_off() -> None:
    world = World()
    assert [world.through(rate_limit="2/s") for _ in range(3)] == [DELIVERED] * 3
    assert world.waited == pytest.approx([0, 0.5, 0.5])
    assert world.through(rate_limit="1/m") == DELIVERED
    assert world.through(rate_limit="1/m") == Throttled(world.clock.now() + 60)


@pytest.mark.parametrize("late", [-0.5, 0, SLOT_KEPT_FOR])
def test_a_slot_that_has_come_is_used_and_no_other_taken(late: float) -> None:
    world = World()
    world.table.next["d"] = NOW + 500
    assert world.through(Progress(slot=NOW - late), rate_limit="1/s") == DELIVERED
    assert "take_slot" not in world.table.calls


def test_a_task_that_comes_before_its_slot_waits_for_the_same() -> None:
    world = World()
    assert world.through(Progress(slot=NOW + 300), rate_limit="1/s") == Throttled(NOW + 300)
    assert "take_slot" not in world.table.calls


def test_a_slot_that_is_long_past_is_none() -> None:
    world = World()
    world.table.next["d"] = NOW + 7
    assert world.through(Progress(slot=NOW - SLOT_KEPT_FOR - 1), rate_limit="1/s") == Throttled(NOW + 7)


def test_a_task_whose_row_could_not_be_read_is_not_throttled() -> None:
    # The slot it may have is not known, and another each time would keep it waiting as long as there is a backlog.
    world = World()
    world.table.next["d"] = NOW + 7
    assert world.through(Progress(attempts=3, is_guess=True), rate_limit="1/s") == DELIVERED


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        (Answered(429), 5),
        (Answered(429, 0), 5),
        (Answered(429, 120), 120),
        (Answered(503, 120), 120),
        (Answered(403, 60), 60),
        (Answered(429, YEAR), LONGEST_DELAY),
        (NotNow(200, 60, "ratelimited"), 60),
    ],
)
def test_a_destination_that_asks_for_rest_has_it_as_a_whole_and_no_other(answer: Outcome, rest: float) -> None:
    world = World()
    elsewhere = world.function()
    world.answer = answer
    retry = {"initial_interval": "5s"}
    assert world.through(retry=retry) == answer
    for gates in (world.gates, elsewhere):
        assert world.through(gates=gates) == Slowed(NOW + rest)
        assert world.through(Progress(slot=NOW), rate_limit="1/s", gates=gates) == Slowed(NOW + rest)
    world.answer = DELIVERED
    assert world.through(name="other") == DELIVERED
    world.clock.pass_(rest)
    assert world.through() == DELIVERED


# 202 with a Retry-After says when to ask for the result: it stopped everything else for that long.
@pytest.mark.parametrize(
    "answer",
    [Answered(202, 3600), Answered(503), Answered(400), Unreachable("timeout"), NotAccepted(200, ""),
     # What is not retried asks for nothing: the task behind it waited for that same answer.
     Answered(302, 3600), Answered(410, 3600), Answered(302, 3600, is_accepted=True), NotNow(200, None, ""),
     DependencyFailed("x")],
)  # fmt: skip
def test_any_other_answer_is_no_call_for_rest(answer: Outcome) -> None:
    world = World()
    world.answer = answer
    assert [world.through() for _ in range(2)] == [answer, answer]
    assert "rest" not in world.table.calls


def test_a_short_rest_does_not_end_a_longer_one() -> None:
    world = World()
    world.table.rests["d"] = NOW + 500

    def late() -> Outcome:
        """An attempt that began before anybody had asked for rest."""
        return Answered(429, 1)

    fresh = world.function()
    world.table.down = {"rests_until"}
    assert fresh.through("d", destination(), NEW, late) == Answered(429, 1)
    world.table.down = set()
    assert world.table.rests["d"] == NOW + 500
    world.clock.pass_(LOOKED_UP_EVERY)
    assert world.through(gates=fresh) == Slowed(NOW + 500)


def test_whether_a_destination_rests_is_looked_up_every_few_seconds() -> None:
    world = World()
    for _ in range(3):
        world.through()
    assert world.table.calls == ["rests_until"]
    world.table.rests["d"] = NOW + 500
    world.clock.pass_(LOOKED_UP_EVERY - 0.1)
    assert world.through() == DELIVERED
    world.clock.pass_(0.1)
    assert world.through() == Slowed(NOW + 500)


@pytest.mark.parametrize(("down", "told"), [("take_slot", "slot"), ("rests_until", "look up rest"), ("rest", "rest")])
def test_where_the_table_fails_the_gates_stand_open_and_it_is_told(down: str, told: str) -> None:
    world = World()
    world.table.down = {down}
    world.answer = Answered(429)
    assert world.through(rate_limit="1/s") == Answered(429)
    assert world.told == [told]


def test_a_rest_that_could_not_be_looked_up_again_goes_on_here() -> None:
    world = World()
    world.answer = Answered(429, 60)
    world.table.down = {"rest", "rests_until"}
    world.through()
    world.clock.pass_(LOOKED_UP_EVERY)
    assert world.through() == Slowed(NOW + 60)


@pytest.mark.parametrize(("rate", "limit"), [("50/s", 50), ("1/s", 1), ("120/m", 2)])
def test_several_functions_at_once_keep_a_rate_within_a_tenth_over_ten_seconds(rate: str, limit: float) -> None:
    world = World()
    functions = [world.function() for _ in range(4)]
    waiting = [NEW] * int(limit * 30)
    began = world.clock.now()
    receives = 0
    while (now := world.clock.now()) < began + 10:
        still: list[Progress] = []
        due = [each for each in waiting if each.slot is None or each.slot <= now]
        for number, progress in enumerate(due):
            receives += 1
            outcome = world.through(progress, gates=functions[number % 4], rate_limit=rate)
            if isinstance(outcome, Throttled):
                still.append(Progress(slot=outcome.until))
        waiting = [each for each in waiting if each.slot is not None and each.slot > now] + still
        world.clock.pass_(max(now + 0.25 - world.clock.now(), 0))
    made = [each for each in world.requests if each < began + 10]
    print(f"{rate}: {len(made)} requests in 10 s, {receives} receives of {int(limit * 30)} tasks")
    assert len(made) == pytest.approx(10 * limit, rel=0.1)
    assert receives <= 2 * limit * 30
