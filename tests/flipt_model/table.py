"""The rows of the state table in memory, whose calls fail, are lost on their way back, or arrive late."""

from collections.abc import Callable, Collection
from random import Random
from typing import Any

from flagcast.edges.aws.flipt_state_table import item_of, read_item
from flagcast.errors import StateUnavailable
from flagcast.flipt_state.change_tracker import Stored
from flagcast.flipt_state.row import UNKNOWN, Accepted, Row, encode_accepted


class Table:
    """The table; `faults` is how many calls in a hundred go wrong."""

    def __init__(self, random: Random, faults: int) -> None:
        self.faults = faults
        self.failed = 0
        self.others_write = 0
        self._random = random
        self.items: dict[str, dict[str, Any]] = {}
        self._late: list[Callable[[], object]] = []

    def read(self, key: str, others: Collection[str], deadline: float) -> tuple[Stored, dict[str, Row]]:
        self._may_fail()
        found = {each: read_item(self.items[each]) for each in (key, *others) if each in self.items}
        rows = {name: stored.row for name, stored in found.items() if stored.row is not None}
        return found.get(key, Stored(UNKNOWN, 0)), rows

    def write(self, key: str, row: Row, version: int, deadline: float) -> bool:
        if self.others_write:
            self.others_write -= 1
            self.items[key]["version"] = {"N": str(version + 1)}
        return self._change(lambda: self._write(key, row, version))

    def add(self, key: str, event: Accepted, deadline: float) -> None:
        self._change(lambda: self._add(key, event))

    def let_arrive(self) -> None:
        """Let one call that was given up arrive."""
        if self._late:
            self._late.pop(self._random.randrange(len(self._late)))()

    def _change[T](self, change: Callable[[], T]) -> T:
        if not self._goes_wrong():
            return change()
        match self._random.randrange(3):
            case 0:
                change()
            case 1:
                self._late.append(change)
            case _:
                pass
        raise StateUnavailable("no answer in time")

    def _may_fail(self) -> None:
        if self._goes_wrong():
            raise StateUnavailable("no answer in time")

    def _goes_wrong(self) -> bool:
        wrong = self._random.randrange(100) < self.faults
        self.failed += wrong
        return wrong

    def _write(self, key: str, row: Row, version: int) -> bool:
        if int(self.items.get(key, {}).get("version", {"N": "0"})["N"]) != version:
            return False
        self.items[key] = item_of(key, row, version + 1, 0)
        return True

    def _add(self, key: str, event: Accepted) -> None:
        item = self.items.setdefault(key, {"key": {"S": key}})
        version = int(item.get("version", {"N": "0"})["N"])
        item["version"] = {"N": str(version + 1)}
        item["unsettled"] = {"L": [*item.get("unsettled", {"L": []})["L"], {"S": encode_accepted(event)}]}
