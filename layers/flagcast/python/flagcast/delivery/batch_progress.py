"""What is known of the tasks of one batch, beyond their messages, and the marks that tell what killed a function.

A killed function writes nothing, and its innocent batch-mates look like the killer. So a task that goes back on the
queue is written as survived; one that is received again and was not is in doubt, and is marked while it is worked on,
until it has survived an attempt. One that is found marked is a suspect. Ordinary retries, however many, cost no mark.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import structs

from flagcast.errors import StateUnavailable
from flagcast.tasks.progress import NEW, Progress, guessed
from flagcast.tasks.received_message import Message


class Rows(Protocol):
    """The state table, as far as tasks go; each raises StateUnavailable."""

    def read(self, message_ids: Sequence[str]) -> Mapping[str, Progress]:
        """Return the rows there are."""

    def write(self, rows: Mapping[str, Progress], forgotten: Collection[str] = (), *, insists: bool = False) -> None:
        """Write rows, and delete others; `insists` asks a table, too, that did not answer a moment ago."""


class Journal(Protocol):
    """What the log says of the table."""

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        """Tell that the state table did not do something that can be done without."""


class BatchProgress:
    """The progress of one batch's tasks; while the table cannot be reached, what their messages let one guess."""

    def __init__(self, rows: Rows, journal: Journal) -> None:
        """Keep the table."""
        self._rows = rows
        self._journal = journal
        self._known: dict[str, Progress] = {}
        self._stored: dict[str, Progress] = {}
        """The rows in the table, with their marks. A mark counts as written even where the table did not say so."""

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
        self._stored.update(rows)

    def of(self, message: Message) -> Progress:
        """Return what is known of a task."""
        return self._known[message.id]

    def start(self, messages: Sequence[Message]) -> None:
        """Mark tasks whose work begins now, if a function may have ended over them before."""
        doubtful = [each for each in self._legible(messages) if self.of(each).may_have_killed(each.receives)]
        known = {each.id: self.of(each) for each in doubtful}
        marked = {name: structs.replace(row, starts=row.starts + 1) for name, row in known.items()}
        self._stored.update(marked)
        self._write("mark", marked)

    def learn(self, message: Message, progress: Progress) -> None:
        """Take down what has become of a task; it is written when the task is put back."""
        if not self.of(message).is_guess:
            self._known[message.id] = progress

    def put_back(self, messages: Sequence[Message]) -> bool:
        """Write tasks that go back on the queue, without this batch's marks; returns whether all are in the table.

        Nothing is written twice, and nothing over a row that could not be read.
        """
        return self._write("put back", self._unwritten(messages)) and len(self._legible(messages)) == len(messages)

    def close(self, leaving: Sequence[Message], staying: Sequence[Message] = ()) -> None:
        """Forget tasks that leave the queue, if they are marked; write of those that stay what could not be written.

        A mark that stays by mistake makes a suspect of an innocent, so the table is asked though it may not answer.
        """
        forgotten = [each.id for each in leaving if self._is_marked(each)]
        insists = any(self._is_marked(each) for each in staying)
        self._write("unmark", self._unwritten(staying), forgotten, insists=insists)

    def _unwritten(self, messages: Sequence[Message]) -> dict[str, Progress]:
        rows = {each.id: self.of(each).put_back(each.receives) for each in self._legible(messages)}
        return {name: row for name, row in rows.items() if row != self._stored.get(name, NEW)}

    def _legible(self, messages: Sequence[Message]) -> list[Message]:
        """Return those whose rows were read, or cannot be there."""
        return [each for each in messages if not self.of(each).is_guess]

    def _is_marked(self, message: Message) -> bool:
        return self._stored.get(message.id, NEW).starts > self.of(message).starts

    def _write(
        self, action: str, rows: Mapping[str, Progress], forgotten: Sequence[str] = (), *, insists: bool = False
    ) -> bool:
        """Write what there is to write; returns whether it is in the table now."""
        if not rows and not forgotten:
            return True
        try:
            self._rows.write(rows, forgotten, insists=insists)
        except StateUnavailable as error:
            self._journal.state_failed(action, error)
            return False
        self._stored.update(rows)
        for name in forgotten:
            del self._stored[name]
        return True
