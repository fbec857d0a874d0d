"""SQS: the task queue and the dead-letter queue."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from flagcast.edges.aws.client import error_name
from flagcast.edges.runtime.bounded_calls import within
from flagcast.errors import QueueUnavailable
from flagcast.tasks.outgoing_message import LARGEST_MESSAGE, Entry
from flagcast.tasks.received_message import Message

MOST_ENTRIES = 10
TRIES = 2
_COUNTS = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
]


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

    def waiting(self, deadline: float) -> int:
        """Return about how many messages there are, by a deadline (monotonic seconds); raises QueueUnavailable.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
        """
        call = partial(self._client.get_queue_attributes, QueueUrl=self._url, AttributeNames=_COUNTS)
        [future] = within(deadline, [call])
        if not future.done():
            raise QueueUnavailable("no answer in time")
        try:
            counts = future.result()["Attributes"]
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(error_name(error)) from error
        return sum(int(counts.get(name, 0)) for name in _COUNTS)

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

    def _all_or_raise(self, call: Callable[..., Any], entries: list[dict[str, Any]]) -> None:
        """Make one change to every message; what SQS refuses is asked for once more, what does not answer is not."""
        problem = ""
        for _ in range(TRIES):
            try:
                answer = call(QueueUrl=self._url, Entries=entries)
            except ClientError as error:
                problem = error_name(error)
                continue
            except BotoCoreError as error:
                raise QueueUnavailable(error_name(error)) from error
            if not (refused := _refused(entries, answer)):
                return
            entries, problem = [entry for entry in entries if entry["Id"] in refused], _reason(answer)
        raise QueueUnavailable(f"{len(entries)} refused: {problem}")

    def _send_once(self, entries: list[Entry], deadline: float) -> tuple[list[Entry], str]:
        """Send each chunk once; returns the entries that are not known to be on the queue, and why."""
        chunks = list(_chunks(entries))
        futures = within(deadline, [partial(self._send_chunk, chunk) for chunk in chunks])
        unsent: list[Entry] = []
        problem = ""
        for chunk, future in zip(chunks, futures, strict=True):
            if not future.done():
                unsent += chunk
                problem = "no answer in time"
            elif isinstance(error := future.exception(), BotoCoreError | ClientError):
                unsent += chunk
                problem = error_name(error)
            else:
                refused, why = future.result()
                unsent += [chunk[int(name)] for name in refused]
                problem = why or problem
        return unsent, problem

    def _send_chunk(self, chunk: Sequence[Entry]) -> tuple[list[str], str]:
        entries = [_request_entry(str(at), entry) for at, entry in enumerate(chunk)]
        answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        return _refused(entries, answer), _reason(answer)


def _refused(entries: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> list[str]:
    """Return the ids of the entries that SQS does not say it took: an answer that says nothing has taken nothing."""
    taken = {each["Id"] for each in answer.get("Successful", [])}
    return [entry["Id"] for entry in entries if entry["Id"] not in taken]


def _reason(answer: Mapping[str, Any]) -> str:
    failed = answer.get("Failed", [])
    return str(failed[0].get("Code")) if failed else "no word of them"


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
