"""What killed the function is found, by marks that a killed function leaves, and what merely stood beside it is not."""

from collections.abc import Callable
from threading import Barrier

import pytest

from flagcast.delivery.message_group import MARGIN
from flagcast.tasks.outcomes import Answered, CircuitOpen, Faulty, GiveUp, Outcome, Paused, Slowed, Throttled
from flagcast.tasks.progress import Progress
from flagcast.tasks.received_message import Message
from tests.support.time_limits import PATIENCE
from tests.unit.fakes import DELIVERED, DOWN, REFUSED, Step, World, group

CRASHED = GiveUp("crashed", "the function ended 3 times while it worked on this task")
OTHERS = [f"m{number}" for number in range(9)]


def again(*names: str) -> list[Message]:
    """Tasks that were received before, each in a group of its own."""
    return [each for name in names for each in group(f"group of {name}", name, receives=2)]


class Killer:
    """A table and queue that outlive functions, one task that kills them, and tasks received beside it."""

    def __init__(self, *names: str) -> None:
        self.left = list(names)
        self.rows: dict[str, Progress] = {}
        self.attempted: list[list[str]] = []
        self.dead_letters: list[object] = []
        self.receives = 1

    def receive(self) -> None:
        """Run one batch of all that is left. Side by side, everyone is at work when the killer kills."""
        world = World()
        world.rows = self.rows
        if not any(row.starts for row in self.rows.values()):
            together = Barrier(len(self.left))
            world.steps = {name: self._until_killed(world, together) for name in self.left}
        else:
            together = Barrier(1)
        world.steps["killer"] = lambda: world.kill() if together.wait(PATIENCE) >= 0 else DOWN
        messages = [each for name in self.left for each in group(f"group of {name}", name, receives=self.receives)]
        staying = world.run(messages)
        gone = {name for names in world.happened("delete") for name in names}
        self.left = [name for name in self.left if name not in gone and (world.killed.is_set() or name in staying)]
        self.attempted.append([name for [name] in world.happened("made")])
        self.dead_letters += world.happened("dead letter")
        self.receives += 1

    @staticmethod
    def _until_killed(world: World, together: Barrier) -> Step:
        return lambda: DELIVERED if together.wait(PATIENCE) >= 0 and world.killed.wait(PATIENCE) else DOWN


@pytest.mark.parametrize("receives", [1, 7], ids=["from the first", "after it was put back"])
@pytest.mark.parametrize("place", [0, 4, 9], ids=["first", "in the middle", "last"])
def test_a_task_that_kills_each_time_is_given_up_and_every_other_is_delivered(place: int, receives: int) -> None:
    names = [*OTHERS[:place], "killer", *OTHERS[place:]]
    killer = Killer(*names)
    killer.receives = receives
    killer.rows = {name: Progress(survived=receives - 1) for name in names}
    while killer.left:
        killer.receive()
    # At first they have no mark; at the second, since no one put them back, all have one; then each runs alone.
    assert [sorted(each) for each in killer.attempted[:2]] == [sorted(names), sorted(names)]
    assert killer.attempted[2] == names[: place + 1]
    assert killer.attempted[3] == [*names[place + 1 :], "killer"]
    assert killer.attempted[4:] == [[]]
    assert killer.dead_letters == [["killer", CRASHED]]


def test_innocents_who_wait_behind_a_suspect_are_not_marked_for_a_run_they_did_not_make() -> None:
    world = World()
    world.steps["a"] = world.kill
    world.rows = {"a": Progress(starts=1), "b": Progress(starts=1)}
    world.run(again("a", "b"))
    assert world.rows == {"a": Progress(starts=2), "b": Progress(starts=1)}


# Behind a suspect that kills each time those after it never had their turn.
def test_of_several_suspects_the_one_that_killed_least_often_comes_first() -> None:
    world = World()
    world.rows = {"a": Progress(starts=2), "b": Progress(starts=1)}
    assert world.run(again("a", "b", "c")) == []
    assert [each for [each] in world.happened("made")] == ["c", "b", "a"]


def test_tasks_that_were_not_put_back_are_marked_in_one_call_before_any_work_and_forgotten_after_it() -> None:
    world = World()
    assert world.run([*again("a", "b"), *group("c", "c")]) == []
    assert world.written[:2] == [("read", "a", "b"), ("write", {"a": 1, "b": 1})]
    assert world.rows == {}


# An outage ends: each batch cost three calls, and each follower two more, where one is enough.
def test_what_every_function_put_back_in_order_is_delivered_at_the_cost_of_one_read() -> None:
    world = World(dict.fromkeys(["a1", "b1"], DOWN))
    first, again = ([*group("a", "a1", "a2", receives=at), *group("b", "b1", receives=at)] for at in (1, 2))
    assert world.run(first) == ["a1", "a2", "b1"]
    world.steps.clear()
    world.written.clear()
    assert world.run(again) == []
    assert [each for each in world.written if each[0] in ("read", "write")] == [("read", "a1", "a2", "b1")]


OUTCOMES = [DELIVERED, DOWN, REFUSED, Faulty("x"), Paused(), CircuitOpen(), Throttled(2000), Slowed(2000), ValueError()]


@pytest.mark.parametrize("step", OUTCOMES, ids=str)
def test_a_mark_ends_with_the_work_whatever_came_of_it(step: Outcome | Exception) -> None:
    # An error that no one expected left its mark: at the third its task was `crashed`, though nothing had been killed.
    world = World({"a": step})
    world.run(again("a"))
    assert ("write", {"a": 1}) in world.written
    assert [each.starts for each in world.rows.values() if each.starts] == []


def test_a_task_is_unmarked_before_it_can_be_seen_again() -> None:
    world = World({"a": DOWN, "b": Faulty("x")})
    world.run(again("a"))
    world.run(again("b"))
    waits = [each[0] for each in world.written if each[0] in ("write", "delay")]
    assert waits == ["write", "write", "delay"] * 2


def test_a_group_that_goes_back_is_written_in_one_call_before_any_of_it_can_be_seen_again() -> None:
    world = World({"a": DOWN})
    assert world.run(group("one", "a", "b", "c")) == ["a", "b", "c"]
    assert world.written == [
        ("made", "a"), ("write", {"a": 0, "b": 0, "c": 0}), ("delay", "a", 1), ("hand back", "b", "c")
    ]  # fmt: skip
    assert [row.survived for row in world.rows.values()] == [1, 1, 1]


def test_tasks_that_are_handed_back_are_unmarked_before() -> None:
    world = World()
    messages = group("one", "a", "b", receives=2)
    assert world.run(messages, 10 + MARGIN - 0.1) == ["a", "b"]
    assert world.written[1:] == [("write", {"a": 1}), ("write", {"a": 0}), ("hand back", "a", "b")]


def test_followers_are_marked_when_their_turn_comes() -> None:
    world = World({"b": DOWN})
    assert world.run(group("one", "a", "b", "c", receives=2)) == ["b", "c"]
    writes = [each for each in world.written if each[0] in ("made", "write")]
    assert writes[:4] == [("write", {"a": 1}), ("made", "a"), ("write", {"b": 1}), ("made", "b")]
    assert writes[4] == ("write", {"b": 0})


def test_a_suspect_runs_when_its_mates_are_done_and_deleted() -> None:
    world = World()
    world.rows = {"s": Progress(starts=1)}
    assert world.run([*again("s"), *group("one", "a", "b"), *again("c")]) == []
    end = [each for each in world.written if each[0] in ("made", "delete")]
    before = end[: end.index(("made", "s"))]
    assert {name for what, *names in before if what == "delete" for name in names} == {"a", "b", "c"}
    assert [what for what, *_ in before].count("delete") == len({each for each in before if each[0] == "delete"})


# They stood before it in its own group, were done, and would have been delivered again after the kill.
def test_a_suspects_own_group_is_deleted_up_to_it_before_it_runs() -> None:
    world = World()
    world.rows = {"s": Progress(starts=2)}
    world.steps["s"] = world.kill
    world.run(group("one", "a", "b", "s", "c", receives=2))
    assert world.happened("made") == [["a"], ["b"], ["s"]]
    assert world.happened("delete") == [["a"], ["b"]]
    assert world.rows == {"s": Progress(starts=3)}


# A put-off is no work: it cleared the task of suspicion, which then killed beside others, and was never `crashed`.
@pytest.mark.parametrize("step", [Throttled(2000), Slowed(2000), Paused(), CircuitOpen(), Faulty("x")], ids=str)
def test_a_suspect_that_is_put_off_stays_one(step: Outcome) -> None:
    world = World({"s": step})
    world.rows = {"s": Progress(1, 900, starts=2)}
    assert world.run(again("s")) == ["s"]
    assert (world.rows["s"].attempts, world.rows["s"].starts) == (1, 2)


def put_off(world: World, step: Outcome) -> None:
    world.steps["k"] = step
    assert world.run(group("k", "k", receives=3)) == ["k"]


def out_of_time(world: World, step: Outcome) -> None:
    assert world.run(group("k", "k", receives=3), 10 + MARGIN - 0.1) == ["k"]


def behind_a_head(world: World, step: Outcome) -> None:
    world.steps["head"] = DOWN
    assert world.run([*group("k", "head"), *group("k", "k", receives=3)]) == ["head", "k"]


# It was written as good as new, ran unmarked at the next receive, killed, and so on for 13 days, never `crashed`.
@pytest.mark.parametrize("step", [Throttled(2000), Slowed(2000), Paused(), CircuitOpen(), Faulty("x")], ids=str)
@pytest.mark.parametrize("waits", [put_off, out_of_time, behind_a_head])
def test_a_killer_that_is_put_back_between_its_kills_is_found(
    waits: Callable[[World, Outcome], None], step: Outcome
) -> None:
    before = World()
    before.rows = {"k": Progress(survived=1)}
    waits(before, step)
    world = World()
    world.rows = before.rows
    world.steps["k"] = world.kill
    world.run(group("k", "k", receives=4))
    assert world.rows["k"].starts == 1


@pytest.mark.parametrize("answer", [DOWN, Answered(429)])
def test_a_suspect_that_was_attempted_and_lives_is_cleared(answer: Outcome) -> None:
    world = World({"s": answer})
    world.rows = {"s": Progress(1, 900, starts=2)}
    assert world.run(again("s")) == ["s"]
    assert world.rows["s"] == Progress(2, 900, survived=2)


def test_an_unexpected_error_in_a_suspect_is_logged_and_the_next_has_its_turn() -> None:
    error = ValueError("oh")
    world = World({"s": error})
    world.rows = {"s": Progress(starts=1), "t": Progress(starts=1)}
    assert world.run(again("s", "t")) == ["s"]
    assert world.happened("broke") == [[error]]
    assert world.rows == {"s": Progress(starts=1)}


# It was marked still when the one after it killed, three times in a row, and was `crashed` with it.
def test_the_mark_of_a_suspect_in_which_an_error_was_ends_before_the_next_begins() -> None:
    world = World({"s": ValueError("oh")})
    world.rows = {"r": Progress(survived=1), "s": Progress(starts=1), "t": Progress(starts=1)}
    world.steps["t"] = world.kill
    world.run([*group("one", "r", "s", receives=2), *again("t")])
    assert world.happened("made") == [["r"], ["s"], ["t"]]
    assert world.rows == {"r": Progress(survived=1), "s": Progress(starts=1), "t": Progress(starts=2)}


def test_found_marked_for_the_third_time_a_task_is_given_up_without_an_attempt_and_its_group_goes_on() -> None:
    world = World()
    world.rows = {"s": Progress(4, 900, starts=3)}
    assert world.run([*group("one", "s", "a", receives=9)]) == []
    assert world.happened("dead letter") == [["s", CRASHED]]
    assert world.happened("made") == [["a"]]
    assert (world.attempts["s"], world.rows) == (4, {})


@pytest.mark.parametrize("refuses", [["read"], ["write"], ["read", "write"]])
def test_without_the_table_nothing_is_crashed_or_expired_and_everything_is_attempted(refuses: list[str]) -> None:
    world = World(dict.fromkeys("ab", DOWN), refuses=refuses)
    world.rows = {"a": Progress(9, 1000 - 86_400 * 2)} if "read" in refuses else {}
    old = [each for name in "ab" for each in group(name, name, receives=40, sent_at=1000 - 86_400 * 12)]
    for _ in range(5):
        assert world.run(old) == ["a", "b"]
    assert world.happened("dead letter") == []
    assert len(world.happened("made")) == 10
    assert {action for action, _ in world.happened("state failed")} <= {"read", "mark", "put back", "unmark"}
    assert {each.starts for each in world.rows.values()} <= {0}


# Each call but one is answered, in turn: a mark stood, was not taken back, and the third time no one had been killed.
@pytest.mark.parametrize("leaves_alone", [True, False], ids=["then it is left alone", "then it answers"])
@pytest.mark.parametrize("is_applied", [True, False], ids=["its answer is lost", "it is refused"])
@pytest.mark.parametrize("outcome", [DOWN, Faulty("x"), Throttled(2000)], ids=str)
def test_a_table_that_fails_once_each_time_makes_no_killer(
    outcome: Outcome, is_applied: bool, leaves_alone: bool
) -> None:
    world = World({"a": outcome})
    world.refused_is_applied, world.leaves_alone = is_applied, leaves_alone
    for batch in range(24):
        world.writes_until_one_is_refused = 1 + batch // 6
        # As if every other receive had come to no one, so that it is in doubt each time.
        assert world.run(group("one", "a", receives=2 * batch + 2)) == ["a"]
    assert world.happened("dead letter") == []
    assert {action for action, _ in world.happened("state failed")} >= {"mark", "put back"}
