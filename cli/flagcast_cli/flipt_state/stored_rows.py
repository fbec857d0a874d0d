"""The known rows of a stack, in its state table."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError
from msgspec import Struct

from flagcast.edges.aws.flipt_state_table import number_in, put_over, read_item
from flagcast.flipt_state.row import Row
from flagcast.flipt_state.thing_keys import rows_of
from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account, error_code
from flagcast_cli.stack.deployed import existing

AT_ONCE: Final = 25
"""Requests of one BatchWriteItem:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""
TRIES: Final = 8
_OUTPUT: Final = "StateTableName"


class Stored(Struct, frozen=True):
    """A row as it is in the table: None where it cannot be read; `expires` in epoch seconds."""

    row: Row | None
    version: int = 0
    expires: int = 0


class Rows(Protocol):
    """Where the known rows are."""

    def of(self, source: str) -> Mapping[str, Stored]:
        """Return all rows of a source, by key."""

    def read(self, key: str) -> Stored | None:
        """Return one row; None if there is none."""

    def write(self, key: str, row: Row, version: int) -> bool:
        """Write a row if it is still of this version, 0 if there was none."""

    def delete(self, keys: Sequence[str]) -> Iterator[int]:
        """Delete rows, and yield how many of them are deleted each time that some are."""


class Table:
    """The rows in DynamoDB; every call raises CommandError."""

    def __init__(
        self, client: Any, name: str, account: Account, now: Callable[[], float], wait: Callable[[float], None]
    ) -> None:
        """Keep the client, the table's name, and the clock (epoch seconds)."""
        self._client = client
        self._name = name
        self._account = account
        self._now = now
        self._wait = wait

    def of(self, source: str) -> dict[str, Stored]:
        """Return all rows of a source, by key: a Scan reads the whole table, and is billed so.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.FilterExpression
        """
        found: dict[str, Stored] = {}
        with self._account.asking("could not read the state table"):
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._name,
                FilterExpression="begins_with(#key, :rows)",
                ExpressionAttributeNames={"#key": "key"},
                ExpressionAttributeValues={":rows": {"S": rows_of(source)}},
                ConsistentRead=True,
            )
            for page in pages:
                found.update((item["key"]["S"], _stored(item)) for item in page["Items"])
        return found

    def read(self, key: str) -> Stored | None:
        """Return one row; None if there is none."""
        with self._account.asking("could not read the state table"):
            answer = self._client.get_item(TableName=self._name, Key={"key": {"S": key}}, ConsistentRead=True)
        return _stored(answer["Item"]) if "Item" in answer else None

    def write(self, key: str, row: Row, version: int) -> bool:
        """Write a row if it is still of this version, 0 if there was none."""
        with self._account.asking("could not write the state table"):
            try:
                self._client.put_item(**put_over(self._name, key, row, version, self._now()))
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def delete(self, keys: Sequence[str]) -> Iterator[int]:
        """Delete rows, and yield how many of them are deleted each time that some are."""
        for some in batched(keys, AT_ONCE, strict=False):
            self._delete([{"DeleteRequest": {"Key": {"key": {"S": key}}}} for key in some])
            yield len(some)

    def _delete(self, requests: list[dict[str, Any]]) -> None:
        """Delete at most 25 rows, those that DynamoDB leaves again after a while, as its page says."""
        for number in range(TRIES):
            with self._account.asking("could not delete the rows"):
                answer = self._client.batch_write_item(RequestItems={self._name: requests})
            requests = answer.get("UnprocessedItems", {}).get(self._name, [])
            if not requests:
                return
            self._wait(0.1 * 2**number)
        raise CommandError("DynamoDB does not delete every row", "Run this command again: it deletes the rest.")


def _stored(item: Mapping[str, Any]) -> Stored:
    read = read_item(item)
    return Stored(read.row, read.version, number_in(item, "expires") or 0)


def table_of(stack: str, account: Account, *, kept_up: bool = True) -> Table:
    """Find a stack's state table by its outputs; raises CommandError, also where nothing keeps its rows up to date."""
    client = account.clients()
    there = existing(client("cloudformation"), account, stack, _OUTPUT)
    if kept_up and there.parameters.get("TrackChanges") == "off":
        raise CommandError(
            f"the stack {stack} has TrackChanges=off, so its events do not update what Flagcast remembers",
            "Deploy it with TrackChanges=on, then run `flagcast forget` and `flagcast learn`.",
        )
    return Table(client("dynamodb"), there.outputs[_OUTPUT], account, time.time, time.sleep)
