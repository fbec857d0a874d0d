from collections.abc import Collection, Mapping, Sequence

import pytest

from flagcast.core.message import Message
from flagcast.core.progress import NEW, Progress
from flagcast.errors import StateUnavailable
from flagcast.story.records import Records
from tests.unit.making import message


class Table:
    """A state table, and what was asked of it; `down` names the calls that fail."""

    def __init__(self, *down: str, rows: dict[str, Progress] | None = None) -> None:
        self.rows = rows or {}
        self.down = set(down)
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.told: list[tuple[str, str]] = []

    def read(self, message_ids: Sequence[str]) -> dict[str, Progress]:
        self._call("read", message_ids)
        return {name: self.rows[name] for name in message_ids if name in self.rows}

    def write(self, rows: Mapping[str, Progress], forgotten: Collection[str] = ()) -> None:
        self._call("write", (*rows, *forgotten))
        self.rows = {name: row for name, row in {**self.rows, **rows}.items() if name not in forgotten}

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        self.told.append((action, str(error)))

    def _call(self, what: str, names: Sequence[str]) -> None:
        self.calls.append((what, tuple(names)))
        if what in self.down:
            raise StateUnavailable("away")


NEW_HERE, SEEN, SEEN_TOO = message(name="new"), message(name="seen", receives=3), message(name="too", receives=2)
ALL = [NEW_HERE, SEEN, SEEN_TOO]


def opened(table: Table, messages: Sequence[Message] = ALL) -> Records:
    records = Records(table, table)
    records.open(messages)
    return records


def test_only_tasks_that_were_received_before_are_read_and_marked_each_in_one_call() -> None:
    table = Table(rows={"seen": Progress(2, 900)})
    records = opened(table)
    records.start(ALL)
    assert table.calls == [("read", ("seen", "too")), ("write", ("seen", "too"))]
    assert table.rows == {"seen": Progress(2, 900, 1), "too": Progress(starts=1)}
    assert [records.of(each) for each in ALL] == [NEW, Progress(2, 900), NEW]


def test_tasks_that_are_received_for_the_first_time_cost_no_call() -> None:
    table = Table()
    records = opened(table, [NEW_HERE])
    records.start([NEW_HERE])
    records.put_back([NEW_HERE])
    assert records.keep(NEW_HERE, NEW)
    records.close([NEW_HERE])
    assert table.calls == []


def test_what_becomes_of_a_task_is_written_and_ends_its_mark() -> None:
    table = Table()
    records = opened(table)
    records.start([SEEN])
    assert records.keep(SEEN, Progress(1, 1000))
    assert records.keep(NEW_HERE, Progress(1, 1000))
    assert table.rows == {"seen": Progress(1, 1000), "new": Progress(1, 1000)}
    assert records.of(SEEN) == Progress(1, 1000)


def test_a_marked_task_is_unmarked_though_nothing_else_changed_and_once_is_enough() -> None:
    table = Table(rows={"seen": Progress(2, 900)})
    records = opened(table)
    records.start([SEEN])
    for _ in range(2):
        assert records.keep(SEEN, Progress(2, 900))
        records.put_back([SEEN])
    assert table.rows == {"seen": Progress(2, 900)}
    assert [what for what, _ in table.calls] == ["read", "write", "write"]


def test_a_task_whose_work_did_not_begin_keeps_the_mark_it_was_found_with() -> None:
    table = Table(rows={"seen": Progress(2, 900, starts=1)})
    records = opened(table)
    records.start([SEEN])
    assert table.rows["seen"].starts == 2
    records.put_back(ALL)
    assert table.rows == {"seen": Progress(2, 900, starts=1)}


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
    assert not records.keep(SEEN, Progress(3))
    assert records.keep(NEW_HERE, Progress(1, 1000))
    records.close(ALL)
    assert table.rows == {"seen": Progress(1, 5), "new": Progress(1, 1000)}


def test_a_mark_that_cannot_be_written_is_none() -> None:
    table = Table("write")
    records = opened(table)
    records.start([SEEN])
    table.down.clear()
    records.put_back([SEEN])
    records.close([SEEN])
    assert table.told == [("mark", "away")]
    assert [what for what, _ in table.calls] == ["read", "write"]


# Three marks that stayed by mistake made a dead letter, `crashed`, of a task that had killed nothing.
@pytest.mark.parametrize("action", ["write", "unmark"])
def test_a_mark_that_could_not_be_taken_back_can_be_taken_back_later_with_what_was_to_be_written(action: str) -> None:
    table = Table()
    records = opened(table)
    records.start([SEEN])
    table.down.add("write")
    if action == "write":
        assert not records.keep(SEEN, Progress(1, 1000))
    else:
        records.put_back([SEEN])
    assert table.told == [(action, "away")]
    table.down.clear()
    records.put_back([SEEN])
    assert table.rows == {"seen": Progress(1, 1000) if action == "write" else NEW}
