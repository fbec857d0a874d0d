"""Who tells of a trouble, and when; what is told is in test_notice, what the table does in integration."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from flagcast.config.model import Retry
from flagcast.errors import QueueUnavailable, StateUnavailable
from flagcast.notices.observed_attempts import ObservedAttempts
from flagcast.notices.publisher import CLAIMED_FOR, NoticePublisher
from flagcast.notices.trouble import Known, Trouble
from flagcast.notices.trouble_tracker import ENOUGH, LOOKED_UP_EVERY, MOST_LOOKED_UP, TroubleTracker
from flagcast.tasks.outcomes import Answered, CircuitOpen, Faulty, GiveUp, Outcome
from flagcast.tasks.outgoing_message import Entry
from flagcast.tasks.progress import NEW
from flagcast.tasks.task import Task, decode
from tests.unit.builders import FakeClock, message, task_for
from tests.unit.fakes import World as Batches

DELIVERED, DOWN = Answered(200), Answered(503, None, "sorry")
REFUSED = GiveUp("rejected", "no", 400)
FAR = 10**9


class World:
    """The edges of notices: a table of one row each, a queue, and what was told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.rows: dict[str, Known] = {}
        self.claims: dict[str, float] = {}
        self.asked: list[str] = []
        self.failing: set[str] = set()
        self.full = False
        self.uncountable = False
        self.sent: list[tuple[str, str]] = []
        self.counts: list[int | None] = []
        self.told: list[tuple[Any, ...]] = []
        self.notices = self.process()

    def process(self) -> TroubleTracker:
        return TroubleTracker(NoticePublisher("chat", "subject", "", self, self, self, self.clock), self, self.clock)

    def tell(self, notices: TroubleTracker | None = None) -> list[tuple[str, str]]:
        self.sent.clear()
        (notices or self.notices).tell(FAR)
        return list(self.sent)

    def after(self, seconds: float, outcome: Outcome | GiveUp, name: str = "d") -> list[tuple[str, str]]:
        """Let time pass, something be seen, and the batch end."""
        self.clock.pass_(seconds)
        if isinstance(outcome, GiveUp):
            self.notices.gave_up(name, outcome)
        else:
            self.notices.seen(name, outcome, Retry())
        return self.tell()

    def begin(self, destination: str, trouble: Trouble, now: float, claimed_before: float) -> Trouble | None:
        self._ask("begin")
        row = self.rows.get(destination)
        if row is not None and (row.is_told or self.claims[destination] > claimed_before):
            return None
        self.rows[destination] = row or Known(trouble, is_told=False)
        self.claims[destination] = now
        return self.rows[destination].trouble

    def look_up(self, destinations: Sequence[str]) -> dict[str, Known]:
        assert len(destinations) <= 100
        self._ask("look_up")
        return {each: self.rows[each] for each in destinations if each in self.rows}

    def settle(self, destination: str, trouble: Trouble, *, is_told: bool) -> None:
        self._ask("settle")
        self.rows[destination] = structs.replace(self.rows[destination], is_told=is_told)
        self.claims[destination] = 0

    def end(self, destination: str, trouble: Trouble, now: float, claimed_before: float) -> bool:
        self._ask("end")
        if self.claims[destination] > claimed_before:
            return False
        self.claims[destination] = now
        return True

    def forget(self, destination: str, trouble: Trouble) -> None:
        self._ask("forget")
        del self.rows[destination]

    def send(self, entries: Sequence[Entry], deadline: float) -> None:
        if self.full:
            raise QueueUnavailable("full")
        for each in entries:
            read = decode(each.body)
            assert isinstance(read, Task)
            text = read.raw.decode()
            self.sent.append(("recovered" if "recovered" in text else "trouble", read.destination))
            self.counts.append(7 if '"waiting":7' in text else None)

    def waiting(self, deadline: float) -> int:
        if self.uncountable:
            raise QueueUnavailable("no answer")
        return 7

    def notice_queued(self, kind: str, destination: str, through: str, event_id: str) -> None:
        self.told.append((kind, destination, through))

    def circuit_changed(self, destination: str, before: str, after: str) -> None:
        self.told.append((destination, before, after))

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        self.told.append((action, str(error)))

    def queue_failed(self, action: str, error: QueueUnavailable) -> None:
        self.told.append((action, str(error)))

    def broke(self, error: BaseException) -> None:
        self.told.append(("broke", type(error).__name__))

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.failing:
            raise StateUnavailable(what)


@pytest.fixture
def world() -> World:
    return World()


TROUBLE, RECOVERED = [("trouble", "chat")], [("recovered", "chat")]


def test_a_dead_letter_is_told_of_once_and_its_end_once(world: World) -> None:
    assert world.after(0, REFUSED) == TROUBLE
    assert [world.after(1, REFUSED) for _ in range(3)] == [[]] * 3
    assert world.after(60, DELIVERED) == RECOVERED
    assert world.after(60, DELIVERED) == []
    assert world.rows == {}


def test_a_circuit_that_opens_is_told_of_with_the_answer_that_opened_it(world: World) -> None:
    assert world.after(0, DOWN) == []
    world.notices.circuit_changed("d", "CLOSED", "OPEN")
    world.notices.circuit_changed("other", "OPEN", "HALF_OPEN")
    assert world.after(0, DOWN) == TROUBLE
    assert world.rows["d"].trouble == Trouble("circuit_open", 1000, 503, "sorry")
    assert world.after(0, DOWN, "other") == []
    assert world.told[0] == ("d", "CLOSED", "OPEN")


def test_an_outage_after_a_trouble_that_is_over_is_none_until_the_circuit_opens_again(world: World) -> None:
    world.notices.circuit_changed("d", "CLOSED", "OPEN")
    assert world.after(0, DOWN) == TROUBLE
    assert world.after(60, DELIVERED) == RECOVERED
    assert world.after(1, DOWN) == []
    world.notices.circuit_changed("d", "CLOSED", "OPEN")
    assert world.after(1, DOWN) == TROUBLE


def test_what_is_put_off_is_nothing_to_ask_about(world: World) -> None:
    assert world.after(0, CircuitOpen()) == []
    assert world.asked == []


def test_a_faulty_destination_is_told_of(world: World) -> None:
    assert world.after(0, Faulty("url: is missing")) == TROUBLE


def test_a_message_of_no_use_to_anyone_is_no_trouble_of_a_destination(world: World) -> None:
    assert world.after(0, GiveUp("unreadable")) == []
    assert world.asked == []


def test_of_the_destination_that_is_told_nothing_is_told_or_asked(world: World) -> None:
    world.notices.circuit_changed("chat", "CLOSED", "OPEN")
    for outcome in (DOWN, REFUSED, DELIVERED, Faulty("x")):
        assert world.after(60, outcome, "chat") == []
    assert world.asked == []


def test_of_two_processes_one_tells(world: World) -> None:
    other = world.process()
    other.gave_up("d", REFUSED)
    world.notices.gave_up("d", REFUSED)
    assert world.tell() == TROUBLE
    assert world.tell(other) == []


def test_another_process_ends_what_this_one_began(world: World) -> None:
    world.after(0, REFUSED)
    world.notices = world.process()
    assert world.after(30, DELIVERED) == RECOVERED


def test_a_delivery_beside_a_failure_ends_nothing(world: World) -> None:
    world.after(0, REFUSED)
    world.clock.pass_(60)
    world.notices.seen("d", DELIVERED, Retry())
    world.notices.gave_up("d", REFUSED)
    world.notices.seen("d", DELIVERED, Retry())
    assert world.tell() == []
    assert world.asked == ["begin", "settle", "begin"]


def test_a_trouble_is_not_over_before_its_shortest_time_by_the_time_of_the_delivery(world: World) -> None:
    world.after(0, REFUSED)
    assert world.after(29, DELIVERED) == []
    assert world.after(4, CircuitOpen()) == []
    assert world.after(30, CircuitOpen()) == []
    assert world.after(1, DELIVERED) == RECOVERED


def test_the_table_is_asked_about_deliveries_once_in_a_while(world: World) -> None:
    for _ in range(20):
        world.after(LOOKED_UP_EVERY / 10, DELIVERED)
    assert world.asked == ["look_up"] * 2


def test_a_delivery_that_could_not_be_looked_up_yet_is_in_time(world: World) -> None:
    world.after(0, REFUSED)
    world.after(60, DELIVERED, "other")
    assert world.after(1, DELIVERED) == []
    world.clock.pass_(LOOKED_UP_EVERY)
    assert world.tell() == RECOVERED


def test_more_destinations_than_one_read_takes_have_their_turn(world: World) -> None:
    for at in range(MOST_LOOKED_UP + 1):
        world.notices.seen(f"d{at}", DELIVERED, Retry())
    world.tell()
    world.clock.pass_(LOOKED_UP_EVERY)
    world.tell()
    world.clock.pass_(LOOKED_UP_EVERY)
    world.tell()
    assert world.asked == ["look_up"] * 2


def test_a_notice_that_the_queue_refused_is_told_by_the_same_process_at_once_when_it_can(world: World) -> None:
    world.full = True
    assert world.after(0, REFUSED) == []
    assert world.told == [("notice", "full")]
    world.full = False
    assert world.tell() == TROUBLE


def test_a_notice_that_the_queue_refused_is_told_by_another_process_that_fails_or_delivers(world: World) -> None:
    for outcome in (REFUSED, DELIVERED):
        world.rows.clear()
        world.full = True
        world.after(LOOKED_UP_EVERY, REFUSED)
        world.full = False
        world.notices = world.process()
        assert world.after(1, outcome) == TROUBLE
        assert world.rows["d"].is_told


def test_a_claim_of_a_process_that_was_killed_is_taken_over(world: World) -> None:
    trouble = Trouble("gone", 1000)
    world.begin("d", trouble, 1000, 0)
    assert world.after(CLAIMED_FOR - 1, DELIVERED) == []
    assert world.after(LOOKED_UP_EVERY, DELIVERED) == TROUBLE
    assert world.rows["d"] == Known(trouble, is_told=True)


def test_an_end_that_the_queue_refused_is_told_with_the_next_chance(world: World) -> None:
    world.after(0, REFUSED)
    world.full = True
    assert world.after(60, DELIVERED) == []
    assert world.rows["d"].is_told
    world.full = False
    world.clock.pass_(LOOKED_UP_EVERY)
    assert world.tell() == RECOVERED


def test_of_two_processes_one_tells_of_the_end(world: World) -> None:
    world.after(0, REFUSED)
    world.claims["d"] = 1059
    assert world.after(60, DELIVERED) == []
    assert world.after(CLAIMED_FOR, DELIVERED) == RECOVERED


@pytest.mark.parametrize("failing", ["begin", "settle"])
def test_while_the_table_fails_a_trouble_is_kept_and_the_failure_told(world: World, failing: str) -> None:
    world.failing = {failing}
    world.after(0, REFUSED)
    assert ("trouble", failing) in world.told
    world.failing.clear()
    world.clock.pass_(CLAIMED_FOR)
    # Where only the last write failed the same notice is queued again: SQS knows its id.
    assert world.tell() == TROUBLE


@pytest.mark.parametrize("failing", ["look_up", "end", "forget"])
def test_while_the_table_fails_an_end_is_kept_and_the_failure_told(world: World, failing: str) -> None:
    world.after(0, REFUSED)
    world.failing = {failing}
    world.after(60, DELIVERED)
    assert any(what[1] == failing for what in world.told)
    world.failing.clear()
    world.clock.pass_(CLAIMED_FOR)
    assert world.tell() == RECOVERED


def test_a_count_that_is_not_to_be_had_holds_back_no_notice(world: World) -> None:
    world.uncountable = True
    assert world.after(0, REFUSED) == TROUBLE
    assert ("count", "no answer") in world.told
    world.uncountable = False
    world.after(0, REFUSED, "other")
    assert world.counts == [None, 7]


def test_with_too_little_time_everything_is_kept_for_the_next_invocation(world: World) -> None:
    world.notices.gave_up("d", REFUSED)
    world.notices.seen("other", DELIVERED, Retry())
    world.notices.tell(world.clock.monotonic() + ENOUGH - 0.1)
    assert world.asked == []
    assert world.tell() == TROUBLE
    assert world.asked == ["begin", "settle", "look_up"]


def test_an_end_for_which_no_time_is_left_after_the_look_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.after(0, REFUSED)
    world.clock.pass_(60)
    world.notices.seen("d", DELIVERED, Retry())
    real = world.look_up

    def slow(destinations: Sequence[str]) -> dict[str, Known]:
        world.clock.pass_(1)
        return real(destinations)

    monkeypatch.setattr(world, "look_up", slow)
    world.notices.tell(world.clock.monotonic() + ENOUGH)
    assert "end" not in world.asked
    world.clock.pass_(LOOKED_UP_EVERY)
    assert world.tell() == RECOVERED


def test_an_unexpected_error_is_logged_and_harms_no_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "rows", None)
    world.notices.gave_up("d", REFUSED)
    assert world.tell() == []
    assert world.told == [("broke", "AttributeError")]


def test_a_failure_of_a_circuits_row_is_passed_on(world: World) -> None:
    world.notices.state_failed("open circuit", StateUnavailable("no"))
    assert world.told == [("open circuit", "no")]


# What is done is watched.


def test_what_is_done_is_watched_and_changed_by_nothing(world: World) -> None:
    batches = Batches({"m1": DOWN})
    watched = ObservedAttempts(batches, batches.dead_letter, world.notices)
    refused = message(task_for("d"))
    assert watched.make(refused, NEW) == DOWN
    assert watched.policy(refused) == batches.policy(refused)
    watched.put_dead_letter(refused, REFUSED, 1)
    watched.tell(FAR)
    assert world.rows["d"].is_told
    assert batches.happened("dead letter")


def test_a_message_that_is_no_task_belongs_to_no_destination(world: World) -> None:
    batches = Batches({"m1": DELIVERED})
    watched = ObservedAttempts(batches, batches.dead_letter, world.notices)
    unreadable = message("not a task")
    watched.make(unreadable, NEW)
    watched.put_dead_letter(unreadable, REFUSED, 0)
    watched.tell(FAR)
    assert world.asked == []


def test_without_notify_nothing_is_noted() -> None:
    batches = Batches({"m1": DELIVERED})
    watched = ObservedAttempts(batches, batches.dead_letter, None)
    assert watched.make(message(), NEW) == DELIVERED
    watched.put_dead_letter(message(), REFUSED, 0)
    watched.tell(FAR)
    assert len(batches.told) == 2
