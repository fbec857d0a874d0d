"""Bug: a call waited for another's end, as ThreadPoolExecutor had counted a busy thread as idle."""

import gc
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier, Event, current_thread

import pytest

from flagcast.primitives.kept_threads import KeptThreads
from tests.support.time_limits import PATIENCE

MANY = 40
ROUNDS = 200


@contextmanager
def threads_that_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def test_no_call_waits_for_another_to_end() -> None:
    together = Barrier(MANY)
    threads = KeptThreads("test")
    futures = [threads.start(partial(together.wait, PATIENCE)) for _ in range(MANY)]
    assert sorted(each.result(PATIENCE) for each in futures) == [*range(MANY)]


def test_nor_where_others_end_while_it_starts() -> None:
    # One for all rounds: its threads never end.
    threads = KeptThreads("test")
    with threads_that_take_turns_often():
        for _ in range(ROUNDS):
            together = Barrier(4)
            for _ in range(3):
                threads.start(int)
            futures = [threads.start(partial(together.wait, PATIENCE)) for _ in range(4)]
            assert sorted(each.result(PATIENCE) for each in futures) == [0, 1, 2, 3]


def test_a_call_that_follows_another_has_its_thread() -> None:
    threads = KeptThreads("test")
    used = {threads.start(current_thread).result(PATIENCE) for _ in range(MANY)}
    assert len(used) == 1


def test_a_thread_whose_call_goes_on_is_left_to_it() -> None:
    threads, end = KeptThreads("test"), Event()
    hanging = threads.start(partial(end.wait, PATIENCE))
    assert threads.start(lambda: "another").result(PATIENCE) == "another"
    assert not hanging.done()
    end.set()
    assert hanging.result(PATIENCE)


def test_what_a_call_raises_is_what_it_came_to_and_its_thread_goes_on() -> None:
    threads = KeptThreads("test")
    with pytest.raises(ZeroDivisionError):
        threads.start(lambda: 1 / 0).result(PATIENCE)
    with pytest.raises(SystemExit):
        threads.start(sys.exit).result(PATIENCE)
    assert threads.start(lambda: 2).result(PATIENCE) == 2


def test_nothing_of_a_call_that_raised_waits_for_the_garbage_collector() -> None:
    # Bug: connections were closed by the garbage collector, as an error's traceback and its future knew each other.
    class Held:
        def fail(self) -> None:
            raise ZeroDivisionError

    held, gc_was_on = Held(), gc.isenabled()
    gone = weakref.ref(held)
    gc.disable()
    try:
        threads = KeptThreads("test")
        with pytest.raises(ZeroDivisionError):
            threads.start(held.fail).result(PATIENCE)
        del held
        threads.start(int).result(PATIENCE)
        assert gone() is None
    finally:
        if gc_was_on:
            gc.enable()
