"""Bodies that travel apart are worked on one at a time: ten of the largest at once do not fit into the function."""

from threading import Lock

from msgspec import structs

from flagcast.delivery.message_group import MARGIN
from flagcast.tasks.outcomes import Outcome
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import claim_check
from tests.unit.builders import message, task_for
from tests.unit.fakes import DELIVERED, World, group


def large(*names: str) -> list[Message]:
    return [message(claim_check(task_for()), name=name, group=f"group of {name}") for name in names]


class Counting:
    """An attempt that counts how many are made at the same time."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = Lock()

    def __call__(self) -> Outcome:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        with self._lock:
            self._now -= 1
        return DELIVERED


def test_bodies_that_are_stored_apart_are_worked_on_one_at_a_time_and_after_the_others() -> None:
    counting = Counting()
    names = [f"l{number}" for number in range(5)]
    world = World(dict.fromkeys(names, counting))
    assert world.run([*large(*names), *group("a", "a1"), *group("b", "b1")]) == []
    assert counting.most == 1
    made = [name for [name] in world.happened("made")]
    assert {*made[:2]} == {"a1", "b1"}
    assert made[2:] == names
    # Each is deleted before the next begins: what it takes memory for may kill the function.
    assert world.happened("delete")[-5:] == [["l0"], ["l1"], ["l2"], ["l3"], ["l4"]]


def test_a_group_with_one_such_body_keeps_its_order() -> None:
    world = World()
    small, apart, last = group("a", "a1")[0], large("a2")[0], group("a", "a3")[0]
    apart = structs.replace(apart, group=small.group)
    assert world.run([small, apart, last, *group("b", "b1")]) == []
    made = [name for [name] in world.happened("made")]
    assert made == ["b1", "a1", "a2", "a3"]


def test_those_for_which_there_is_no_time_go_back_at_once() -> None:
    world = World()

    def take_time() -> Outcome:
        world.clock.pass_(10)
        return DELIVERED

    world.steps["l1"] = take_time
    assert world.run(large("l1", "l2"), seconds=15 + MARGIN) == ["l2"]
    assert world.happened("hand back") == [["l2"]]
