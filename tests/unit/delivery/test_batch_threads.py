"""The threads of a batch outlive it, and nothing that they do does."""

from collections.abc import Sequence
from threading import Barrier, Event, Thread, current_thread

import pytest

from flagcast.delivery.batch_processor import BATCH_SIZE
from flagcast.tasks.outcomes import Outcome
from flagcast.tasks.progress import Progress
from flagcast.tasks.received_message import Message
from tests.support.time_limits import PATIENCE
from tests.unit.fakes import DELIVERED, DOWN, World, group


def test_a_batch_works_on_the_threads_of_the_one_before() -> None:
    seen: list[set[Thread]] = []
    for _ in range(2):
        together, threads = Barrier(BATCH_SIZE), set[Thread]()

        def meet(together: Barrier = together, threads: set[Thread] = threads) -> Outcome:
            threads.add(current_thread())
            together.wait(PATIENCE)
            return DELIVERED

        ids = [f"m{number}" for number in range(BATCH_SIZE)]
        assert World(dict.fromkeys(ids, meet)).run([each for name in ids for each in group(name, name)]) == []
        seen.append(threads)
    assert len(seen[0]) == BATCH_SIZE
    assert seen[0] == seen[1]


def test_nothing_goes_on_behind_a_batch_that_ended_in_an_error() -> None:
    failed = Event()

    class Broken(World):
        def delete(self, messages: Sequence[Message]) -> None:
            failed.set()
            raise ZeroDivisionError

    def last() -> Outcome:
        assert failed.wait(PATIENCE)
        return DELIVERED

    world = Broken({"b1": last})
    with pytest.raises(ZeroDivisionError):
        world.run([*group("a", "a1"), *group("b", "b1")])
    assert world.decisions.keys() == {"a1", "b1"}


def test_a_task_that_stays_is_not_deleted_before_a_suspect_has_its_turn() -> None:
    world = World({"a1": DOWN})
    world.rows = {"b1": Progress(starts=1)}
    assert world.run([*group("a", "a1"), *group("b", "b1", receives=2)]) == ["a1"]
    assert world.happened("delete") == [["b1"]]
