"""DynamoDB: a row for each task that was put back or marked, and one for each destination that is throttled.

Rows are keyed by `key` and vanish 30 days after they were written, by the table's TTL on `expires`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from flagcast.edges.aws.dynamodb import KEPT_FOR, ConditionFailed, asked, number
from flagcast.errors import StateUnavailable
from flagcast.tasks.progress import Progress

TRIES = 3
_TASK = "task#"
_SLOT = "slot#"


class DeliveryTable:
    """The table."""

    def __init__(self, client: Any, table: str, now: Callable[[], float], insistent: Any = None) -> None:
        """Keep the client, the table's name and the clock (epoch seconds), and a client for what must be asked."""
        self._client = client
        self._insistent = insistent or client
        self._table = table
        self._now = now

    def read(self, message_ids: Sequence[str]) -> dict[str, Progress]:
        """Return the rows there are, by message id (at most 100); raises StateUnavailable."""
        keys: list[dict[str, Any]] = [{"key": {"S": _TASK + name}} for name in message_ids]
        rows: dict[str, Progress] = {}
        for _ in range(TRIES):
            request = {self._table: {"Keys": keys, "ConsistentRead": True}}
            answer = asked(self._client.batch_get_item, RequestItems=request)
            for item in answer["Responses"].get(self._table, []):
                rows[item["key"]["S"].removeprefix(_TASK)] = _progress(item)
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return rows
        raise StateUnavailable("not every row was read")

    def write(self, rows: Mapping[str, Progress], forgotten: Collection[str] = (), *, insists: bool = False) -> None:
        """Write rows by message id, and delete others, at most 25 together; raises StateUnavailable.

        `insists` asks a table, too, that did not answer a moment ago.
        """
        client = self._insistent if insists else self._client
        requests: list[dict[str, Any]] = [
            {"PutRequest": {"Item": self._item(_TASK + name, _attributes(row))}} for name, row in rows.items()
        ]
        requests += [{"DeleteRequest": {"Key": {"key": {"S": _TASK + name}}}} for name in forgotten]
        for _ in range(TRIES):
            answer = asked(client.batch_write_item, RequestItems={self._table: requests})
            requests = answer.get("UnprocessedItems", {}).get(self._table, [])
            if not requests:
                return
        raise StateUnavailable("not every row was written")

    def take_slot(self, destination: str, interval: float) -> float:
        """Take a destination's next free slot: its time in epoch seconds, now or later; raises StateUnavailable.

        Where slots lie ahead the row moves on by one addition, which any number of functions may make at once; where
        they lie behind, it begins again at now, which one of them wins.
        """
        for _ in range(TRIES):
            now = self._now()
            moved = self._update(
                destination,
                "SET next_slot = next_slot + :interval, expires = :expires",
                "next_slot >= :now",
                {":interval": interval, ":now": now},
            )
            if moved is not None:
                return float(moved["next_slot"]["N"]) - interval
            begun = self._update(
                destination,
                "SET next_slot = :after, expires = :expires",
                "attribute_not_exists(next_slot) OR next_slot < :now",
                {":after": now + interval, ":now": now},
            )
            if begun is not None:
                return now
        raise StateUnavailable("the next slot moved on every time")

    def rest(self, destination: str, until: float) -> None:
        """Let a destination rest until a time, or longer if it does already; raises StateUnavailable."""
        self._update(
            destination,
            "SET rest = :until, expires = :expires",
            "attribute_not_exists(rest) OR rest < :until",
            {":until": until},
        )

    def rests_until(self, destination: str) -> float:
        """Return until when a destination is to rest (epoch seconds), 0 if it is not; raises StateUnavailable."""
        answer = asked(self._client.get_item, TableName=self._table, Key={"key": {"S": _SLOT + destination}})
        return float(answer.get("Item", {}).get("rest", {"N": "0"})["N"])

    def _update(
        self, destination: str, update: str, condition: str, values: Mapping[str, float]
    ) -> Mapping[str, Any] | None:
        """Update a destination's row; returns what changed, or None where the condition does not hold."""
        numbers = {**values, ":expires": int(self._now() + KEPT_FOR)}
        try:
            answer = asked(
                self._client.update_item,
                TableName=self._table,
                Key={"key": {"S": _SLOT + destination}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"N": number(value)} for name, value in numbers.items()},
                ReturnValues="UPDATED_NEW",
            )
        except ConditionFailed:
            return None
        changed: Mapping[str, Any] = answer["Attributes"]
        return changed

    def _item(self, key: str, attributes: Mapping[str, float]) -> dict[str, Any]:
        numbers = {**attributes, "expires": int(self._now() + KEPT_FOR)}
        return {"key": {"S": key}, **{name: {"N": number(value)} for name, value in numbers.items()}}


def _attributes(row: Progress) -> dict[str, float]:
    counts = {"attempts": row.attempts, "starts": row.starts, "survived": row.survived}
    times = {"first_attempt": row.first_attempt, "slot": row.slot}
    return {**counts, **{name: value for name, value in times.items() if value is not None}}


def _progress(item: Mapping[str, Any]) -> Progress:
    numbers = {name: value["N"] for name, value in item.items() if "N" in value}
    return Progress(
        attempts=int(numbers.get("attempts", 0)),
        starts=int(numbers.get("starts", 0)),
        survived=int(numbers.get("survived", 0)),
        first_attempt=float(numbers["first_attempt"]) if "first_attempt" in numbers else None,
        slot=float(numbers["slot"]) if "slot" in numbers else None,
    )
