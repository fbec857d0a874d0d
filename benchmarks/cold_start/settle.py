"""What ingest asks of the state table for an event about a flag, by boto3 and nothing else: a read, and a write."""

from typing import Any

KEY = {"key": {"S": "known#flipt#flag#production/new-checkout"}}


def settle(dynamodb: Any, table: str) -> None:
    """Read the row, and write one of the same size if it is still of the version that was read."""
    found = dynamodb.batch_get_item(RequestItems={table: {"Keys": [KEY], "ConsistentRead": True}})
    [item] = found["Responses"][table]
    dynamodb.put_item(
        TableName=table,
        Item={**item, "version": {"N": str(int(item["version"]["N"]) + 1)}},
        ConditionExpression="#version = :version",
        ExpressionAttributeNames={"#version": "version"},
        ExpressionAttributeValues={":version": item["version"]},
    )
