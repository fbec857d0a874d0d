"""The deliver function without what finds a task that kills it; benchmarks/recovery.py holds the real one against it.

It marks nothing, and does not write which receives a task has survived. What it knows of attempts it writes as ever.
"""

import sys
from collections.abc import Sequence

from tests.support import function

from flagcast.core.message import Message
from flagcast.core.progress import NEW
from flagcast.story.records import Records


def _put_back(self: Records, messages: Sequence[Message]) -> bool:
    rows = {each.id: self.of(each) for each in self._legible(messages)}
    is_written = self._write(
        "put back", {name: row for name, row in rows.items() if row != self._stored.get(name, NEW)}
    )
    return is_written and len(rows) == len(messages)


def _nothing(*_: object) -> None: ...


if __name__ == "__main__":
    for name, careless in {"start": _nothing, "close": _nothing, "put_back": _put_back}.items():
        setattr(Records, name, careless)
    function.main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
