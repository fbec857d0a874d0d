"""The receiver stack as the run sees it: a script for each path, and what each path received."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boto3.dynamodb.conditions import Key
from msgspec import Struct

TEMPLATE = Path(__file__).with_name("receiver.yaml")


class Received(Struct, frozen=True):
    """One request: the digest of its body, the id that all attempts of a delivery share, and the answer."""

    sha256: str
    webhook_id: str
    answered: int


class Target(Struct, frozen=True):
    """An AWS service that a destination is, and the URL of the queue in which what came to it is seen."""

    name: str
    arn: str
    queue_url: str


class Receiver(Struct, frozen=True):
    """A deployed receiver: its address without a path, the table that it keeps, and the AWS services beside it."""

    url: str
    table: Any
    targets: tuple[Target, ...]

    def script(self, route: str, answers: Sequence[int]) -> None:
        """Say what to answer on a path from now on; the last answer repeats."""
        self.table.put_item(Item={"route": route, "arrived": "script", "answers": list(answers), "taken": 0})

    def received(self, route: str) -> list[Received]:
        """Return every request to a path, in the order in which they came."""
        wanted = Key("route").eq(route) & Key("arrived").lt("script")
        found: list[Received] = []
        more: dict[str, Any] = {}
        while True:
            page = self.table.query(KeyConditionExpression=wanted, ConsistentRead=True, **more)
            found += [Received(each["sha256"], each["webhook_id"], int(each["answered"])) for each in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
