"""DynamoDB: the row of each thing that Flipt has, moved on by one conditional write.

An item holds `document` (the row), `version`, `unsettled` (events that were accepted while the row could not be read or
written, added without a condition) and `expires` (the table's TTL). Names stand for the attributes in expressions, so
that none can be a reserved word:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import msgspec

from flagcast.edges.aws.dynamodb import ConditionFailed, asked
from flagcast.edges.runtime.bounded_calls import within
from flagcast.errors import StateUnavailable
from flagcast.flipt_state.change_tracker import Stored
from flagcast.flipt_state.row import (
    UNKNOWN,
    Accepted,
    Row,
    decode,
    decode_accepted,
    encode,
    encode_accepted,
    with_unsettled,
)
from flagcast.primitives.duration import DAY

KEPT_FOR: Final = 400 * DAY
"""Seconds after the last event about a thing."""
KEPT_DELETED_FOR: Final = 30 * DAY

NO_VERSION: Final = -1
"""The version of an item that has none that can be read: nothing can be written over it."""


class FliptStateTable:
    """The rows of the state table that say what Flipt has."""

    def __init__(self, client: Any, table: str, now: Callable[[], float]) -> None:
        """Keep the client, the table's name and the clock (epoch seconds)."""
        self._client = client
        self._table = table
        self._now = now

    def read(self, key: str, others: Collection[str], deadline: float) -> tuple[Stored, dict[str, Row]]:
        """Return the row of a key, and those of others that are there; raises StateUnavailable.

        One consistent read by a deadline (monotonic seconds). Of an answer that DynamoDB did not process whole, others
        may be missing, as they only say names:
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
        """
        wanted = [{"key": {"S": each}} for each in dict.fromkeys((key, *others))]
        request = {self._table: {"Keys": wanted, "ConsistentRead": True}}
        answer = self._ask(deadline, self._client.batch_get_item, RequestItems=request)
        if {"key": {"S": key}} in answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", []):
            raise StateUnavailable("the row was not read")
        stored = {each["key"]["S"]: read_item(each) for each in answer["Responses"].get(self._table, [])}
        rows = {name: each.row for name, each in stored.items() if each.row is not None}
        own = stored.get(key, Stored(UNKNOWN, 0))
        if own.version == NO_VERSION:
            raise StateUnavailable("the row's version cannot be read")
        return own, rows

    def write(self, key: str, row: Row, version: int, deadline: float) -> bool:
        """Write a row if it is still of the version that was read; raises StateUnavailable."""
        try:
            self._ask(deadline, self._client.put_item, **put_over(self._table, key, row, version, self._now()))
        except ConditionFailed:
            return False
        return True

    def add(self, key: str, event: Accepted, deadline: float) -> None:
        """Add an event that could not be settled, whatever the row is; raises StateUnavailable."""
        self._ask(
            deadline,
            self._client.update_item,
            TableName=self._table,
            Key={"key": {"S": key}},
            UpdateExpression="SET #unsettled = list_append(if_not_exists(#unsettled, :none), :one), #expires = :expires"
            " ADD #version :step",
            ExpressionAttributeNames={"#unsettled": "unsettled", "#expires": "expires", "#version": "version"},
            ExpressionAttributeValues={
                ":none": {"L": []},
                ":one": {"L": [{"S": encode_accepted(event)}]},
                ":expires": {"N": str(int(self._now() + KEPT_FOR))},
                ":step": {"N": "1"},
            },
        )

    @staticmethod
    def _ask(deadline: float, call: Callable[..., Any], **arguments: Any) -> Any:
        if time.monotonic() >= deadline:
            raise StateUnavailable("no time is left")
        answer = asked(call, **arguments)
        if time.monotonic() >= deadline:
            raise StateUnavailable("no answer in time")
        return answer


def bounded[T](deadline: float, work: Callable[[], T]) -> T:
    """Return what the work returns; raises StateUnavailable if it does not by a deadline (monotonic seconds)."""
    [future] = within(deadline, [work])
    if not future.done():
        raise StateUnavailable("no answer in time")
    return future.result()


def put_over(table: str, key: str, row: Row, version: int, now: float) -> dict[str, Any]:
    """Return the arguments of a PutItem that writes a row over a version, 0 for none; `now` in epoch seconds."""
    over = {"ExpressionAttributeValues": {":version": {"N": str(version)}}} if version else {}
    return {
        "TableName": table,
        "Item": item_of(key, row, version + 1, now),
        "ConditionExpression": "#version = :version" if version else "attribute_not_exists(#version)",
        "ExpressionAttributeNames": {"#version": "version"},
        **over,
    }


def read_item(item: Mapping[str, Any]) -> Stored:
    """Read an item; its row is None where it cannot be read, and its version NO_VERSION."""
    if (version := number_in(item, "version")) is None:
        return Stored(None, NO_VERSION)
    try:
        row = decode(item["document"]["S"]) if "document" in item else UNKNOWN
        unsettled = tuple(decode_accepted(each["S"]) for each in item.get("unsettled", {"L": []})["L"])
    except (msgspec.DecodeError, KeyError):
        return Stored(None, version)
    return Stored(with_unsettled(row, unsettled), version)


def number_in(item: Mapping[str, Any], name: str) -> int | None:
    """Read a whole number of an item: 0 if it is not there, None if it is anything else."""
    try:
        return int(item.get(name, {"N": "0"})["N"])
    except (KeyError, ValueError):
        return None


def item_of(key: str, row: Row, version: int, now: float) -> dict[str, Any]:
    """Write an item; `now` in epoch seconds."""
    kept_for = KEPT_DELETED_FOR if row.is_deleted else KEPT_FOR
    return {
        "key": {"S": key},
        "document": {"S": encode(row)},
        "version": {"N": str(version)},
        "expires": {"N": str(int(now + kept_for))},
    }
