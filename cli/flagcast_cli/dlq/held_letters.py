"""Dead letters that one run holds: received, hidden from other runs while it works on them, then released."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import batched
from types import TracebackType
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from flagcast.errors import QueueUnavailable
from flagcast_cli.console import CommandError, counted, err
from flagcast_cli.dlq.letters import Letter, read_letter
from flagcast_cli.stack.queues import StackQueues

HOLD = 120
"""Seconds for which no other run sees a letter after it was received or renewed.

Well inside SQS's five minutes of deduplication: what a killed run had sent and not deleted is seen again in time for
the next run's send of it to be swallowed.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

RENEW_EVERY = 40
MOST = 10
_TRIES = 2
_LOOK_EVERY = 2


def wait_until_none_is_held(place: StackQueues) -> None:
    """Wait for what another run holds, or one that was killed held; raises CommandError if it keeps them.

    A redrive must see all there is: of two runs that share the letters, neither could keep their order.
    """
    until = place.now() + HOLD + 30
    with err.status("Waiting for dead letters that another command holds"):
        while (held := place.in_flight()) and place.now() < until:
            place.wait(_LOOK_EVERY)
    if held:
        raise CommandError(
            f"{counted(held, 'dead letter is', 'dead letters are')} held by another command",
            "Wait until that command ends, then try again: two commands could not keep their order.",
        )


class Held:
    """The letters of one run; whatever ends it, those that are left are handed back."""

    def __init__(self, place: StackQueues) -> None:
        """Hold nothing yet."""
        self._place = place
        self.elsewhere = 0
        """How many others held when ours were collected."""
        self._letters: dict[str, Letter] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew_until_over, daemon=True)

    def __enter__(self) -> Self:
        """Begin to renew what is held, so that a question can be thought about."""
        self._renewing.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Hand back what is still held; what cannot be is seen again by itself."""
        self._over.set()
        self._renewing.join()
        self.release(list(self._letters.values()))

    def collect(self) -> list[Letter]:
        """Receive every letter there is; raises CommandError.

        Of a group's messages more than ten cannot be had at once; every letter that Flagcast writes has its own.
        https://repost.aws/knowledge-center/sqs-fifo-messages-not-returned
        """
        otherwise = "the dead letters could not be received"
        with err.status("Collecting the dead letters"), self._place.account.asking(otherwise):
            while letters := self._receive():
                with self._lock:
                    self._letters.update((each.id, each) for each in letters)
        # Before any is released: SQS's count runs behind, and would count ours as another command's.
        self.elsewhere = max(self._place.in_flight() - len(self._letters), 0)
        return list(self._letters.values())

    def _receive(self) -> list[Letter]:
        answer = self._place.sqs.receive_message(
            QueueUrl=self._place.dead_letter_url,
            MaxNumberOfMessages=MOST,
            VisibilityTimeout=HOLD,
            # Asks every server of SQS's; without it an answer can be empty while there are more.
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [read_letter(each) for each in answer.get("Messages", [])]

    def renew(self, letters: Sequence[Letter]) -> list[Letter]:
        """Keep letters for longer; returns those that are known to be ours still, by the word of SQS."""
        ours: list[Letter] = []
        for chunk in batched(letters, MOST, strict=False):
            with self._lock:
                ours += self._renewed([each for each in chunk if each.id in self._letters])
        return ours

    def _renewed(self, letters: Sequence[Letter]) -> list[Letter]:
        entries = [
            {"Id": str(at), "ReceiptHandle": each.message.receipt, "VisibilityTimeout": HOLD}
            for at, each in enumerate(letters)
        ]
        for _ in range(_TRIES if entries else 0):
            with suppress(ClientError, BotoCoreError):
                answer = self._place.sqs.change_message_visibility_batch(
                    QueueUrl=self._place.dead_letter_url, Entries=entries
                )
                return [letters[int(each["Id"])] for each in answer.get("Successful", [])]
        return []

    def _renew_until_over(self) -> None:
        while not self._over.wait(RENEW_EVERY):
            self.renew(list(self._letters.values()))

    def release(self, letters: Iterable[Letter]) -> None:
        """Let others see letters again at once, or in two minutes where SQS does not do it."""
        for chunk in batched(letters, MOST, strict=False):
            with self._lock:
                self._forget(chunk)
                with suppress(QueueUnavailable):
                    self._place.dead_letters.hand_back([each.message for each in chunk])

    def delete(self, letters: Sequence[Letter]) -> list[Letter]:
        """Take letters off the queue for good; returns those that are not known to be off it, which stay in hand."""
        left: list[Letter] = []
        for chunk in batched(letters, MOST, strict=False):
            if self._deleted(chunk):
                continue
            # Which of them it was is not said: each by itself tells.
            left += [each for each in chunk if not self._deleted([each])]
        return left

    def _deleted(self, letters: Sequence[Letter]) -> bool:
        with self._lock:
            try:
                self._place.dead_letters.delete([each.message for each in letters])
            except QueueUnavailable:
                return False
            self._forget(letters)
        return True

    def _forget(self, letters: Iterable[Letter]) -> None:
        for each in letters:
            self._letters.pop(each.id, None)
