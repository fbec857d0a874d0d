"""DynamoDB: a row for each destination that is in trouble, in the state table.

What is known of the trouble is written once, by the function that sees it first. `claimed` is when a function began to
queue a notice of it (epoch seconds, 0 for none), `told` whether the notice of the trouble is queued.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from flagcast.edges.aws.dynamodb import KEPT_FOR, ConditionFailed, asked, number
from flagcast.errors import StateUnavailable
from flagcast.notices.trouble import Known, Trouble

_TROUBLE = "trouble#"
_CLAIM = "claimed = :now, expires = :expires"
_SAME = "since = :since"


class TroubleTable:
    """The rows."""

    def __init__(self, client: Any, table: str, now: Callable[[], float]) -> None:
        """Keep the client, the table's name and the clock (epoch seconds)."""
        self._client = client
        self._table = table
        self._now = now

    def begin(self, destination: str, trouble: Trouble, now: float, claimed_before: float) -> Trouble | None:
        """Claim a trouble without a notice: this one, or the one there is; None if it has one, or is claimed.

        Raises StateUnavailable, as everything here does.
        """
        changed = self._update(
            destination,
            "SET since = if_not_exists(since, :since), facts = if_not_exists(facts, :facts), told = :told, " + _CLAIM,
            "attribute_not_exists(since) OR (told = :told AND claimed <= :before)",
            {":since": trouble.since, ":told": 0, ":now": now, ":before": claimed_before},
            {":facts": msgspec.json.encode(trouble).decode()},
        )
        return None if changed is None else _trouble(changed)

    def look_up(self, destinations: Sequence[str]) -> dict[str, Known]:
        """Return the troubles there are, of at most 100 destinations."""
        keys = [{"key": {"S": _TROUBLE + each}} for each in destinations]
        request = {self._table: {"Keys": keys, "ConsistentRead": True}}
        answer = asked(self._client.batch_get_item, RequestItems=request)
        if answer.get("UnprocessedKeys"):
            raise StateUnavailable("not every row was read")
        return {
            item["key"]["S"].removeprefix(_TROUBLE): Known(_trouble(item), item["told"]["N"] == "1")
            for item in answer["Responses"].get(self._table, [])
            if "since" in item
        }

    def settle(self, destination: str, trouble: Trouble, *, is_told: bool) -> None:
        """Give a claim back, and say whether the notice of the trouble is queued."""
        self._update(
            destination,
            "SET told = :told, claimed = :none",
            _SAME,
            {":since": trouble.since, ":told": int(is_told), ":none": 0},
        )

    def end(self, destination: str, trouble: Trouble, now: float, claimed_before: float) -> bool:
        """Claim the end of a trouble that has a notice; returns whether it was won."""
        numbers = {":since": trouble.since, ":now": now, ":before": claimed_before, ":told": 1}
        condition = f"{_SAME} AND told = :told AND claimed <= :before"
        return self._update(destination, "SET " + _CLAIM, condition, numbers) is not None

    def forget(self, destination: str, trouble: Trouble) -> None:
        """Forget a trouble that is over: what is left of the row says nothing, and vanishes."""
        self._update(destination, "REMOVE since, facts, told, claimed", _SAME, {":since": trouble.since})

    def _update(
        self,
        destination: str,
        update: str,
        condition: str,
        numbers: Mapping[str, float],
        texts: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any] | None:
        """Update a row; returns all of it, or None where the condition does not hold."""
        values: dict[str, dict[str, str]] = {name: {"N": number(value)} for name, value in numbers.items()}
        values |= {name: {"S": value} for name, value in (texts or {}).items()}
        if ":expires" in update:
            values[":expires"] = {"N": number(int(self._now() + KEPT_FOR))}
        try:
            answer = asked(
                self._client.update_item,
                TableName=self._table,
                Key={"key": {"S": _TROUBLE + destination}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ConditionFailed:
            return None
        row: Mapping[str, Any] = answer["Attributes"]
        return row


def _trouble(item: Mapping[str, Any]) -> Trouble:
    try:
        return msgspec.json.decode(item["facts"]["S"], type=Trouble)
    except (KeyError, msgspec.DecodeError) as error:
        raise StateUnavailable("a row that is none of ours") from error
