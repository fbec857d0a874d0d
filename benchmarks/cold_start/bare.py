"""As little as a function can do that stores an event with boto3: nothing is verified, parsed or routed."""

import os
from typing import Any

import boto3

sqs = boto3.client("sqs")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    sqs.send_message(QueueUrl=os.environ["FLAGCAST_QUEUE_URL"], MessageBody=event["body"])
    return {"statusCode": 200}
