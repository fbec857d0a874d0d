from collections.abc import Collection, Mapping, Sequence

import pytest

from flagcast.delivery.batch_progress import BatchProgress
from flagcast.errors import StateUnavailable
from flagcast.tasks.progress import NEW, Progress
from flagcast.tasks.received_message import Message
from tests.unit.builders import message


class Table:
    """A state table, and what was asked of it; `down` names the calls that fail; "write late" fails when it is done."""

    def __init__(self, *down: str, rows: dict[str, Progress] | None = None) -> None:
        self.rows = rows or {}
        self.down = set(down)
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.told: list[tuple[str, str]] = []

    def read(self, message_ids: Sequence[str]) -> dict[str, Progress]:
        self._call("read", message_ids)
        return {name: self.rows[name] for name in message_ids if name in self.rows}

    def write(self, rows: Mapping[str, Progress], forgotten: Collection[str] = (), *, insists: bool = False) -> None:
        self._call("insist" if insists else "write", (*rows, *forgotten))
        self.rows = {name: row for name, row in {**self.rows, **rows}.items() if name not in forgotten}
        if "write late" in self.down:
            raise StateUnavailable("away")

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        self.told.append((action, str(error)))

    def _call(self, what: str, names: Sequence[str]) -> None:
        self.calls.append((what, tuple(names)))
        if what in self.down:
            raise StateUnavailable("away")


NEW_HERE, SEEN, SEEN_TOO = message(name="new"), message(name="seen", receives=3), message(name="too", receives=2)
ALL = [NEW_HERE, SEEN, SEEN_TOO]


def opened(table: Table, messages: Sequence[Message] = ALL) -> BatchProgress:
    records = BatchProgress(table, table)
    records.open(messages)
    return records


def test_only_tasks_that_were_received_before_are_read_and_those_that_were_not_put_back_marked_each_in_one_call() -> (
    None
):
    table = Table(rows={"seen": Progress(2, 900)})
    records = opened(table)
    records.start(ALL)
    assert table.calls == [("read", ("seen", "too")), ("write", ("seen", "too"))]
    assert table.rows == {"seen": Progress(2, 900, 1), "too": Progress(starts=1)}
    assert [records.of(each) for each in ALL] == [NEW, Progress(2, 900), NEW]


# Recovery after an outage was up to a third slower: whatever was received again was marked, and unmarked.
def test_a_task_that_was_put_back_costs_one_read_when_it_is_delivered() -> None:
    table = Table(rows={"seen": Progress(2, 900, survived=2), "too": Progress(survived=1)})
    records = opened(table)
    records.start(ALL)
    records.close(ALL)
    assert table.calls == [("read", ("seen", "too"))]


@pytest.mark.parametrize("survived", [0, 1])
def test_a_task_that_was_put_back_before_its_last_receive_and_not_at_it_is_marked(survived: int) -> None:
    table = Table(rows={"seen": Progress(2, 900, survived=survived)})
    opened(table).start([SEEN])
    assert table.rows["seen"].starts == 1


def test_a_suspect_is_marked_though_it_was_put_back() -> None:
    table = Table(rows={"seen": Progress(2, 900, starts=1, survived=2)})
    opened(table).start([SEEN])
    assert table.rows["seen"].starts == 2


def test_tasks_that_are_received_for_the_first_time_cost_no_call() -> None:
    table = Table()
    records = opened(table, [NEW_HERE])
    records.start([NEW_HERE])
    records.close([NEW_HERE])
    assert table.calls == []


def test_what_becomes_of_tasks_is_written_in_one_call_when_they_are_put_back_and_ends_their_marks() -> None:
    table = Table()
    records = opened(table)
    records.start([SEEN])
    records.learn(SEEN, Progress(1, 1000, survived=3))
    assert records.of(SEEN) == Progress(1, 1000, survived=3)
    assert records.put_back([SEEN, NEW_HERE])
    assert table.rows == {"seen": Progress(1, 1000, survived=3), "new": Progress(survived=1)}
    assert table.calls[2:] == [("write", ("seen", "new"))]


def test_what_is_written_is_not_written_again_nor_a_row_that_would_say_nothing() -> None:
    table = Table(rows={"seen": Progress(2, 900, survived=2), "too": Progress(2, 900, survived=0)})
    third = message(name="third", receives=2)
    records = opened(table, [*ALL, third])
    for _ in range(2):
        assert records.put_back([SEEN, SEEN_TOO, third])
    assert table.rows == {"seen": Progress(2, 900, survived=3), "too": Progress(2, 900)}
    assert [what for what, _ in table.calls] == ["read", "write"]


# A killer that was put off after its kill was as good as new: it killed at every other receive, and was never found.
@pytest.mark.parametrize("is_marked", [True, False])
def test_a_task_in_doubt_that_is_put_back_unattempted_stays_in_doubt(is_marked: bool) -> None:
    table = Table(rows={"seen": Progress(2, 900, survived=1)})
    records = opened(table)
    if is_marked:
        records.start([SEEN])
    assert records.put_back([SEEN])
    assert table.rows == {"seen": Progress(2, 900, survived=1)}


def test_a_task_whose_work_did_not_begin_keeps_the_mark_it_was_found_with() -> None:
    table = Table(rows={"seen": Progress(2, 900, starts=1)})
    records = opened(table)
    records.start([SEEN])
    assert table.rows["seen"].starts == 2
    records.put_back([SEEN])
    assert table.rows == {"seen": Progress(2, 900, starts=1)}


def test_what_is_left_is_written_in_one_call_which_insists_if_a_mark_is_left() -> None:
    table = Table(rows={"too": Progress(survived=1)})
    records = opened(table)
    records.start([SEEN])
    records.close([NEW_HERE], [SEEN, SEEN_TOO])
    assert table.rows == {"seen": NEW, "too": Progress(survived=2)}
    assert table.calls[2:] == [("insist", ("seen", "too"))]


def test_what_is_left_without_a_mark_is_no_reason_to_insist() -> None:
    table = Table()
    records = opened(table)
    records.start([SEEN])
    records.close([SEEN], [NEW_HERE])
    assert table.calls[2:] == [("write", ("new", "seen"))]


def test_a_task_that_leaves_is_forgotten_if_it_has_a_mark() -> None:
    table = Table()
    records = opened(table)
    records.start(ALL)
    records.close([NEW_HERE, SEEN])
    records.close([NEW_HERE, SEEN])
    assert table.rows == {"too": Progress(starts=1)}
    assert table.calls[2:] == [("write", ("seen",))]


def test_without_the_table_attempts_are_at_most_the_receives_and_nothing_is_marked_or_written_over() -> None:
    table = Table("read", rows={"seen": Progress(1, 5)})
    records = opened(table)
    assert table.told == [("read", "away")]
    assert records.of(SEEN) == Progress(attempts=2, is_guess=True)
    assert records.of(NEW_HERE) == NEW
    records.start(ALL)
    records.learn(SEEN, Progress(3))
    assert records.of(SEEN).is_guess
    records.learn(NEW_HERE, Progress(1, 1000))
    assert not records.put_back([SEEN, NEW_HERE])
    records.close(ALL)
    assert table.rows == {"seen": Progress(1, 5), "new": Progress(1, 1000, survived=1)}


# Three marks that stayed by mistake made a dead letter, `crashed`, of a task that had killed nothing.
@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.parametrize("becomes", [Progress(1, 1000, survived=3), NEW])
def test_a_mark_whose_write_failed_may_stand_and_is_ended(is_applied: bool, becomes: Progress) -> None:
    table = Table(*(["write late"] if is_applied else ["write"]))
    records = opened(table)
    records.start([SEEN])
    assert ("seen" in table.rows, table.told) == (is_applied, [("mark", "away")])
    table.down.clear()
    records.learn(SEEN, becomes)
    assert records.put_back([SEEN])
    assert table.rows == {"seen": becomes}


def test_a_mark_that_could_not_be_ended_is_ended_later_with_what_was_to_be_written() -> None:
    table = Table()
    records = opened(table)
    records.start([SEEN])
    table.down.add("write")
    records.learn(SEEN, Progress(1, 1000, survived=3))
    assert not records.put_back([SEEN])
    assert table.told == [("put back", "away")]
    table.down.clear()
    records.close([], [SEEN])
    assert table.rows == {"seen": Progress(1, 1000, survived=3)}
