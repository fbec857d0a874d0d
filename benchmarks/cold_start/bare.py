"""As little as a function can do with boto3 that makes the calls of ingest: nothing is verified, parsed or routed."""

import os
from typing import Any

import boto3
from settle import settle  # type: ignore[import-not-found]  # it lies beside this where this runs

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settle(dynamodb, os.environ["FLAGCAST_STATE_TABLE"])
    sqs.send_message(QueueUrl=os.environ["FLAGCAST_QUEUE_URL"], MessageBody=event["body"])
    return {"statusCode": 200}
