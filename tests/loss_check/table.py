"""The state table in memory: by the few shapes of call that the product makes itself, or by moto for Powertools'."""
# ruff: noqa: N803 - the arguments have boto3's names

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.support import state_table

Item = dict[str, dict[str, str]]


class Table:
    """One table, keyed by `key`."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self._lock = threading.Lock()

    def get_item(self, *, TableName: str, Key: Item) -> dict[str, Any]:
        with self._lock:
            item = self.items.get(Key["key"]["S"])
            return {"Item": item} if item else {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:
        ((table, asked),) = RequestItems.items()
        with self._lock:
            names = [key["key"]["S"] for key in asked["Keys"]]
            assert len(set(names)) == len(names) <= 100
            return {"Responses": {table: [self.items[name] for name in names if name in self.items]}}

    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:
        ((_, requests),) = RequestItems.items()
        with self._lock:
            assert 1 <= len(requests) <= 25
            for request in requests:
                if "PutRequest" in request:
                    item = request["PutRequest"]["Item"]
                    self.items[item["key"]["S"]] = item
                else:
                    self.items.pop(request["DeleteRequest"]["Key"]["key"]["S"], None)
        return {}

    def update_item(
        self,
        *,
        TableName: str,
        Key: Item,
        UpdateExpression: str,
        ConditionExpression: str,
        ExpressionAttributeValues: Item,
        ReturnValues: str,
    ) -> dict[str, Any]:
        values = {name: float(value["N"]) for name, value in ExpressionAttributeValues.items()}
        with self._lock:
            item = self.items.get(Key["key"]["S"], Key)
            old = {name: float(value["N"]) for name, value in item.items() if "N" in value}
            if not any(_holds(each, old, values) for each in ConditionExpression.split(" OR ")):
                raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "UpdateItem")
            changed = {}
            for assignment in UpdateExpression.removeprefix("SET ").split(", "):
                name, _, expression = assignment.partition(" = ")
                changed[name] = {"N": str(sum(values.get(each, old.get(each, 0)) for each in expression.split(" + ")))}
            self.items[Key["key"]["S"]] = {**item, **changed}
            return {"Attributes": changed}


class MotoTable:
    """A table of moto's, which knows every expression; one call at a time, as it was not made for more."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            with self._lock:
                return getattr(self._client, operation)(**arguments)

        return call


@contextmanager
def moto_table() -> Iterator[MotoTable]:
    """Create the table as template.yaml does."""
    with mock_aws():
        client: Any = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        state_table.create(client)
        yield MotoTable(client)


def _holds(condition: str, old: Mapping[str, float], values: Mapping[str, float]) -> bool:
    if condition.startswith("attribute_not_exists("):
        return condition[len("attribute_not_exists(") : -1] not in old
    name, sign, value = condition.split(" ")
    if name not in old:
        return False
    return old[name] >= values[value] if sign == ">=" else old[name] < values[value]
