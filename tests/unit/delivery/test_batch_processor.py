from threading import Barrier
from typing import Any

import pytest

from flagcast.delivery.batch_processor import BATCH_SIZE
from flagcast.delivery.message_group import MARGIN
from flagcast.tasks.outcomes import Done, Faulty, Filtered, GiveUp, Outcome, RetryIn
from flagcast.tasks.progress import Progress
from tests.support.time_limits import PATIENCE
from tests.unit.builders import message
from tests.unit.fakes import DELIVERED, DOWN, REFUSED, World, group

NEEDS = 10 + MARGIN


def test_an_empty_batch_is_done() -> None:
    world = World()
    assert world.run([]) == []
    assert world.told == []


def test_the_tasks_of_a_group_are_attempted_in_the_order_received() -> None:
    world = World()
    assert world.run(group("a", "a1", "a2", "a3")) == []
    assert world.happened("made") == [["a1"], ["a2"], ["a3"]]
    assert world.decisions == dict.fromkeys(("a1", "a2", "a3"), (DELIVERED, Done(), 0))


def test_each_group_keeps_its_order_when_they_are_received_in_turns() -> None:
    world = World()
    (a1, a2), (b1, b2) = group("a", "a1", "a2"), group("b", "b1", "b2")
    assert world.run([a1, b1, a2, b2]) == []
    made = [each for [each] in world.happened("made")]
    assert [each for each in made if each[0] == "a"] == ["a1", "a2"]
    assert [each for each in made if each[0] == "b"] == ["b1", "b2"]


def test_as_many_groups_as_a_batch_can_hold_are_worked_through_at_the_same_time() -> None:
    together = Barrier(BATCH_SIZE)

    def meet() -> Outcome:
        together.wait(PATIENCE)
        return DELIVERED

    names = [f"m{number}" for number in range(BATCH_SIZE)]
    world = World(dict.fromkeys(names, meet))
    assert world.run([each for name in names for each in group(f"group-{name}", name)]) == []
    assert world.happened("broke") == []


def test_a_retry_delays_the_head_and_hands_its_followers_back_unattempted() -> None:
    world = World({"a2": DOWN})
    assert world.run(group("a", "a1", "a2", "a3", "a4")) == ["a2", "a3", "a4"]
    assert [each for each in world.told if each[0] != "delete"] == [
        ("made", "a1"), ("made", "a2"), ("delay", "a2", 1), ("hand back", "a3", "a4"),
    ]  # fmt: skip
    assert world.decisions["a2"] == (DOWN, RetryIn(1), 0)
    assert (world.gives_up_at["a1"], world.gives_up_at["a2"]) == (None, 1000 + 24 * 3600)


def test_the_journal_tells_the_delay_that_the_queue_was_asked_for() -> None:
    # Past 50 receives the delay is longer than the schedule says.
    world = World({"a1": DOWN})
    world.run([message(name="a1", group="a", receives=800)])
    [(_, _, delay)] = [each for each in world.told if each[0] == "delay"]
    assert delay == 11232
    assert world.decisions["a1"] == (DOWN, RetryIn(delay), 0)


def test_a_retry_of_one_group_does_not_stop_another() -> None:
    world = World({"a1": DOWN})
    assert world.run([*group("a", "a1", "a2"), *group("b", "b1", "b2")]) == ["a1", "a2"]
    assert {"b1", "b2"} <= world.decisions.keys()


def test_a_last_task_that_is_retried_hands_nothing_back() -> None:
    world = World({"a1": DOWN})
    assert world.run(group("a", "a1")) == ["a1"]
    assert world.happened("delay") == [["a1", 1]]
    assert world.happened("hand back") == []


def test_the_delay_is_long_enough_for_the_follower_with_the_fewest_receives_left() -> None:
    world = World({"a1": DOWN})
    assert world.run([*group("a", "a1"), *group("a", "a2", receives=800)]) == ["a1", "a2"]
    assert world.happened("delay") == [["a1", 11232]]


def test_the_schedule_goes_by_the_attempts_and_the_first_of_them_and_not_by_receives() -> None:
    world = World({"a1": DOWN, "b1": DOWN, "c1": DOWN})
    world.rows = {"a1": Progress(2, 900), "b1": Progress(2, 1000 - 86_400)}
    messages = [group(name, f"{name}1", receives=40) for name in "abc"]
    assert world.run([each for [each] in messages]) == ["a1", "c1"]
    assert sorted(world.happened("delay")) == [["a1", 4], ["c1", 1]]
    assert world.happened("dead letter") == [["b1", GiveUp("expired", "", 503)]]
    assert world.attempts == {"a1": 3, "b1": 3, "c1": 1}
    assert world.rows["a1"] == Progress(3, 900, survived=40)
    assert world.rows["c1"] == Progress(1, 1000, survived=40)


def test_a_task_that_is_given_up_goes_to_the_dead_letters_and_its_group_goes_on() -> None:
    world = World({"a1": REFUSED, "a2": Filtered()})
    assert world.run(group("a", "a1", "a2", "a3")) == []
    assert [each for each in world.told if each[0] != "delete"] == [
        ("made", "a1"), ("dead letter", "a1", GiveUp("rejected", "no", 400)), ("made", "a2"), ("made", "a3"),
    ]  # fmt: skip
    assert world.decisions["a1"] == (REFUSED, GiveUp("rejected", "no", 400), 0)


@pytest.mark.parametrize("more", [{"receives": 900}, {"sent_at": 1000 - 13 * 86_400}])
def test_a_task_at_its_end_is_given_up_without_an_attempt(more: dict[str, Any]) -> None:
    world = World()
    assert world.run(group("a", "a1", **more)) == []
    assert world.happened("made") == []
    [[given_up, why]] = world.happened("dead letter")
    assert given_up == "a1"
    assert world.decisions["a1"] == (None, why, 0)


def test_a_task_whose_dead_letter_cannot_be_sent_is_kept_and_tried_again() -> None:
    world = World({"a1": REFUSED}, refuses=["dead letter"])
    assert world.run(group("a", "a1", "a2")) == ["a1", "a2"]
    assert world.told == [
        ("made", "a1"), ("failed", "dead letter", "no dead letter"), ("delay", "a1", 60), ("hand back", "a2"),
    ]  # fmt: skip
    assert world.decisions["a1"] == (REFUSED, RetryIn(60), 0)


def test_after_a_delay_that_is_refused_nothing_more_is_asked_of_the_queue() -> None:
    # A second call that hangs as long as the first could outlast the invocation.
    world = World({"a1": DOWN}, refuses=["delay"])
    assert world.run(group("a", "a1", "a2")) == ["a1", "a2"]
    assert world.told == [("made", "a1"), ("failed", "delay", "no delay")]


def test_a_hand_back_that_is_refused_is_told_and_the_tasks_stay() -> None:
    world = World({"a1": Faulty("x")}, refuses=["hand back"])
    assert world.run(group("a", "a1", "a2")) == ["a1", "a2"]
    assert world.told == [("made", "a1"), ("delay", "a1", 60), ("failed", "hand back", "no hand back")]


def test_what_is_done_is_deleted_at_once_while_another_group_still_runs() -> None:
    world = World()
    world.steps = {"b1": lambda: DELIVERED if world.deleted.wait(PATIENCE) else DOWN}
    assert world.run([*group("a", "a1", "a2"), *group("b", "b1")]) == []
    gone = [each for batch in world.happened("delete") for each in batch]
    assert {"a1"} <= set(gone) <= {"a1", "a2"}
    assert world.decisions["b1"][1] == Done()


def test_what_is_given_up_is_deleted_at_once_too_and_what_is_retried_is_not() -> None:
    world = World({"a1": REFUSED, "c1": DOWN})
    world.steps["b1"] = lambda: DELIVERED if world.deleted.wait(PATIENCE) else DOWN
    assert world.run([*group("a", "a1"), *group("b", "b1"), *group("c", "c1")]) == ["c1"]
    assert world.happened("delete") == [["a1"]]


def test_a_delete_that_is_refused_is_no_failure() -> None:
    world = World(refuses=["delete"])
    world.steps = {"b1": lambda: DELIVERED if world.delete_failed.wait(PATIENCE) else DOWN}
    assert world.run([*group("a", "a1"), *group("b", "b1")]) == []
    assert world.happened("failed") == [["delete", "no delete"]]


def test_tasks_that_cannot_be_started_in_time_go_back_at_once() -> None:
    world = World()
    assert world.run(group("a", "a1", "a2"), NEEDS - 0.1) == ["a1", "a2"]
    assert world.told == [("hand back", "a1", "a2")]
    assert world.decisions == {}


def test_an_attempt_starts_while_exactly_its_timeout_and_the_margin_are_left() -> None:
    world = World()
    assert world.run(group("a", "a1"), NEEDS) == []
    assert world.happened("made") == [["a1"]]


def test_a_slow_attempt_sends_those_behind_it_back_and_keeps_what_is_done() -> None:
    world = World()

    def slow() -> Outcome:
        world.clock.pass_(8)
        return DELIVERED

    world.steps = {"a1": slow}
    assert world.run(group("a", "a1", "a2", "a3"), NEEDS + 7) == ["a2", "a3"]
    assert world.happened("made") == [["a1"]]
    assert world.happened("hand back") == [["a2", "a3"]]
    assert world.decisions == {"a1": (DELIVERED, Done(), 8)}


def test_an_unexpected_error_is_logged_and_the_task_and_those_behind_it_stay() -> None:
    error = ValueError("oh")
    world = World({"a2": error})
    assert world.run([*group("a", "a1", "a2", "a3"), *group("b", "b1")]) == ["a2", "a3"]
    assert world.happened("broke") == [[error]]
    assert world.decisions.keys() == {"a1", "b1"}


def test_what_stays_is_told_in_the_order_received() -> None:
    world = World({"a1": DOWN, "b1": DOWN})
    (a1, a2), (b1, b2), [c1] = group("a", "a1", "a2"), group("b", "b1", "b2"), group("c", "c1")
    assert world.run([b1, a1, c1, b2, a2]) == ["b1", "a1", "b2", "a2"]
