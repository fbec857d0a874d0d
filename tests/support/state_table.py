"""The state table as template.yaml makes it."""

from typing import Any

TABLE = "state"


def create(client: Any) -> Any:
    """Create it if it is not there; returns the client."""
    if TABLE not in client.list_tables()["TableNames"]:
        client.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    return client
