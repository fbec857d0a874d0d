"""The deliver function without what finds a task that kills it; benchmarks/recovery.py holds the real one against it.

It marks nothing, and writes nothing but attempts and slots.
"""

import sys
from collections.abc import Sequence

from tests.support import function

from flagcast.delivery.batch_progress import BatchProgress
from flagcast.tasks.progress import NEW
from flagcast.tasks.received_message import Message


def _put_back(self: BatchProgress, messages: Sequence[Message]) -> bool:
    known = {each.id: self.of(each) for each in self._legible(messages)}
    changed = {name: row for name, row in known.items() if row != self._stored.get(name, NEW)}
    return self._write("put back", changed) and len(known) == len(messages)


def _nothing(*_: object) -> None: ...


if __name__ == "__main__":
    for name, careless in {"start": _nothing, "close": _nothing, "put_back": _put_back}.items():
        setattr(BatchProgress, name, careless)
    function.main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
