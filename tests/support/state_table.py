"""The state table as template.yaml makes it."""

from typing import Any

TABLE = "state"


def create(client: Any) -> Any:
    """Create it; returns the client."""
    client.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client
