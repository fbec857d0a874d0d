"""Dead letters back onto the task queue.

Why nothing is delivered twice, and nothing lost: a letter is sent only while it is ours (SQS has just said so), and
deleted only after SQS took its task. Two runs never hold the same letter. A run that is killed between the two leaves
a letter that is seen again within two minutes; the next run sends it under the same deduplication id, which SQS
swallows for five minutes, and deletes it. Only a run that comes later than that delivers what was sent and not
deleted (one batch) once more, with the same Webhook-Id.
"""

import time
from collections.abc import Callable, Sequence

from flagcast.edges.aws.queue import Queue
from flagcast.errors import QueueUnavailable
from flagcast_cli.dlq.bodies import Contents
from flagcast_cli.dlq.held_letters import Held
from flagcast_cli.dlq.letters import Letter
from flagcast_cli.dlq.redrive_plan import Ready, Refusal, batches

_WITHIN = 10.0
_MOST_FRUITLESS = 3
"""Batches in a row of which SQS took nothing, after which it is not asked any more."""


class Redrive:
    """One run; what has become of the letters can be read at any time, also after it was interrupted."""

    def __init__(self, tasks: Queue, held: Held, contents: Contents) -> None:
        """Do nothing yet."""
        self._tasks = tasks
        self._held = held
        self._contents = contents
        self._stuck: set[str] = set()
        self._fruitless = 0
        self.sent = list[Letter]()
        self.undeleted = list[Letter]()
        """Sent, and still on the dead-letter queue."""
        self.refusals: list[Refusal] = []

    def run(self, ready: Sequence[Ready], done: Callable[[int], None]) -> None:
        """Send and delete, batch by batch, and tell `done` how many letters each settled.

        A letter that could not be sent keeps back those of its group that follow it. What cannot be deleted ends the
        run: each further letter would be one more to be sent twice.
        """
        try:
            for batch in batches(ready):
                self._redrive(batch)
                done(len(batch))
                if self.undeleted or self._fruitless >= _MOST_FRUITLESS:
                    return
        finally:
            self._delete()

    def _redrive(self, batch: Sequence[Ready]) -> None:
        going = [each for each in batch if not self._stays_behind(each) and self._has_its_body(each)]
        ours = {each.id for each in self._held.renew([each.letter for each in going])}
        for each in going:
            if each.letter.id not in ours:
                self._refuse(each, "this command may no longer hold it, so another one may send it")
        going = [each for each in going if each.letter.id in ours]
        sent = [each.letter for each in self._taken(going)]
        self._fruitless = 0 if sent or not going else self._fruitless + 1
        self.sent += sent
        self.undeleted += sent
        self._delete()

    def _stays_behind(self, ready: Ready) -> bool:
        behind = ready.entry.group in self._stuck
        if behind:
            self._refuse(ready, "it follows one that could not be sent")
        return behind

    def _has_its_body(self, ready: Ready) -> bool:
        """Write a stored body again; one that is gone blocks no other letter, as it never comes."""
        absent = self._contents.store_again(ready.letter)
        if absent is not None:
            self._refuse(ready, absent.why, keeps_back=not absent.for_good)
        return absent is None

    def _taken(self, batch: Sequence[Ready]) -> list[Ready]:
        """Send what is to be sent, and return what SQS took; if it does not take all, each by itself tells which.

        What it had taken already it takes once more, and swallows.
        """
        if not batch or self._takes(batch) is None:
            return list(batch)
        taken: list[Ready] = []
        for each in batch:
            if (problem := self._takes([each])) is None:
                taken.append(each)
            else:
                self._refuse(each, f"SQS did not take it ({problem})")
        return taken

    def _takes(self, batch: Sequence[Ready]) -> QueueUnavailable | None:
        try:
            self._tasks.send([each.entry for each in batch], time.monotonic() + _WITHIN)
        except QueueUnavailable as error:
            return error
        return None

    def _refuse(self, ready: Ready, why: str, *, keeps_back: bool = True) -> None:
        self.refusals.append(Refusal(ready.letter, why))
        if keeps_back:
            self._stuck.add(ready.entry.group)

    def _delete(self) -> None:
        self.undeleted = self._held.delete(self.undeleted)
