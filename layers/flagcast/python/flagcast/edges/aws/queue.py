"""SQS: the task queue and the dead-letter queue."""

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from flagcast.core.entry import LARGEST_MESSAGE, Entry
from flagcast.core.message import Message
from flagcast.edges.aws.client import error_name
from flagcast.edges.within import finished, within
from flagcast.errors import QueueUnavailable

MOST_ENTRIES = 10
TRIES = 2


class Queue:
    """One FIFO queue."""

    def __init__(self, client: Any, url: str) -> None:
        """Keep the client and the queue's URL."""
        self._client = client
        self._url = url

    def send(self, entries: Sequence[Entry], deadline: float) -> None:
        """Put every entry on the queue by the deadline (monotonic seconds), or raise QueueUnavailable.

        Chunks go at the same time, and what was refused or failed is tried once more. Some may be on the queue when
        it raises; their deduplication ids let the same send be repeated.
        """
        waiting = list(entries)
        problem = "nothing was tried"
        for attempt in range(TRIES):
            if not waiting or (attempt and time.monotonic() >= deadline):
                break
            waiting, problem = self._send_once(waiting, deadline)
        if waiting:
            raise QueueUnavailable(f"{len(waiting)} of {len(entries)} messages not sent: {problem}")

    def delay(self, message: Message, seconds: int) -> None:
        """Let a message be seen again after so many seconds; raises QueueUnavailable."""
        self._change([message], seconds)

    def hand_back(self, messages: Sequence[Message]) -> None:
        """Let messages be seen again at once; raises QueueUnavailable."""
        self._change(messages, 0)

    def delete(self, messages: Sequence[Message]) -> None:
        """Take messages off the queue; raises QueueUnavailable."""
        entries = [{"Id": str(at), "ReceiptHandle": each.receipt} for at, each in enumerate(messages)]
        self._all_or_raise(self._client.delete_message_batch, entries)

    def _change(self, messages: Sequence[Message], seconds: int) -> None:
        entries = [
            {"Id": str(at), "ReceiptHandle": each.receipt, "VisibilityTimeout": seconds}
            for at, each in enumerate(messages)
        ]
        self._all_or_raise(self._client.change_message_visibility_batch, entries)

    def _all_or_raise(self, call: Any, entries: list[dict[str, Any]]) -> None:
        try:
            failed = call(QueueUrl=self._url, Entries=entries).get("Failed", [])
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(error_name(error)) from error
        if failed:
            raise QueueUnavailable(f"{len(failed)} of {len(entries)} refused: {failed[0].get('Code')}")

    def _send_once(self, entries: list[Entry], deadline: float) -> tuple[list[Entry], str]:
        """Send each chunk once; returns the entries that are not known to be on the queue, and why."""
        chunks = list(_chunks(entries))
        futures = within(deadline, [partial(self._send_chunk, chunk) for chunk in chunks])
        unsent: list[Entry] = []
        problem = ""
        for chunk, future in zip(chunks, futures, strict=True):
            if not finished(future):
                unsent += chunk
                problem = "no answer in time"
            elif isinstance(error := future.exception(), BotoCoreError | ClientError):
                unsent += chunk
                problem = error_name(error)
            elif refused := future.result():
                unsent += [chunk[int(each["Id"])] for each in refused]
                problem = str(refused[0].get("Code"))
        return unsent, problem

    def _send_chunk(self, chunk: Sequence[Entry]) -> list[dict[str, Any]]:
        entries = [_request_entry(str(at), entry) for at, entry in enumerate(chunk)]
        answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        return list(answer.get("Failed", []))


def _request_entry(name: str, entry: Entry) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Id": name,
        "MessageBody": entry.body,
        "MessageGroupId": entry.group,
        "MessageDeduplicationId": entry.deduplication,
    }
    if entry.attributes:
        made["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in entry.attributes.items()
        }
    return made


def _chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Split into requests of at most ten entries and one mebibyte."""
    chunk: list[Entry] = []
    size = 0
    for entry in entries:
        if chunk and (len(chunk) == MOST_ENTRIES or size + entry.size > LARGEST_MESSAGE):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += entry.size
    if chunk:
        yield chunk
