"""What is known of the tasks of one batch, beyond their messages, and the marks that tell what killed a function.

A killed function writes nothing, and its innocent batch-mates look like the killer. So a task that was received before
is marked when its work begins and unmarked when it ends; one that is found marked may be the killer.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import structs

from flagcast.core.message import Message
from flagcast.core.progress import NEW, Progress, guessed
from flagcast.errors import StateUnavailable


class Rows(Protocol):
    """The state table, as far as tasks go; each raises StateUnavailable."""

    def read(self, message_ids: Sequence[str]) -> Mapping[str, Progress]:
        """Return the rows there are."""

    def write(self, rows: Mapping[str, Progress], forgotten: Collection[str] = ()) -> None:
        """Write rows, and delete others."""


class Journal(Protocol):
    """What is told about the table."""

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        """Tell that the state table did not do something that can be done without."""


class Records:
    """The progress of one batch's tasks; while the table cannot be reached, what their messages let one guess."""

    def __init__(self, rows: Rows, journal: Journal) -> None:
        """Keep the table."""
        self._rows = rows
        self._journal = journal
        self._known: dict[str, Progress] = {}
        self._marked: set[str] = set()

    def open(self, messages: Sequence[Message]) -> None:
        """Read the rows of those tasks that were received before: no other can have one."""
        rows: Mapping[str, Progress] = {}
        is_blind = False
        if again := [message.id for message in messages if message.receives > 1]:
            try:
                rows = self._rows.read(again)
            except StateUnavailable as error:
                self._journal.state_failed("read", error)
                is_blind = True
        for message in messages:
            without = guessed(message) if is_blind and message.receives > 1 else NEW
            self._known[message.id] = rows.get(message.id, without)

    def of(self, message: Message) -> Progress:
        """Return what is known of a task."""
        return self._known[message.id]

    def start(self, messages: Sequence[Message]) -> None:
        """Mark tasks whose work begins now, if they were received before."""
        again = [message for message in messages if message.receives > 1 and not self.of(message).is_guess]
        marks = {each.id: structs.replace(self.of(each), starts=self.of(each).starts + 1) for each in again}
        if self._write("mark", marks):
            self._marked.update(marks)

    def put_back(self, messages: Sequence[Message]) -> None:
        """Take back the marks of tasks whose work did not begin after all, or did not end as it should."""
        began = [message for message in messages if message.id in self._marked]
        if self._write("unmark", {message.id: self.of(message) for message in began}):
            self._marked.difference_update(message.id for message in began)

    def keep(self, message: Message, progress: Progress) -> bool:
        """Write what has become of a task that stays, which ends its mark; tells whether it will be known again.

        Nothing is written where nothing changed, and nothing over a row that could not be read.
        """
        before = self.of(message)
        if before.is_guess:
            return False
        self._known[message.id] = progress
        if progress == before and message.id not in self._marked:
            return True
        if is_written := self._write("write", {message.id: progress}):
            self._marked.discard(message.id)
        return is_written

    def close(self, messages: Sequence[Message]) -> None:
        """Forget tasks that leave the queue."""
        left = [message.id for message in messages if message.id in self._marked]
        if self._write("forget", {}, left):
            self._marked.difference_update(left)

    def _write(self, action: str, rows: Mapping[str, Progress], forgotten: Sequence[str] = ()) -> bool:
        if not rows and not forgotten:
            return False
        try:
            self._rows.write(rows, forgotten)
        except StateUnavailable as error:
            self._journal.state_failed(action, error)
            return False
        return True
