"""The same by the book of Powertools for AWS Lambda (its resolver, parser, parameters) and boto3."""

import hashlib
import hmac
import os
from typing import Any

import boto3
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.parser import BaseModel, parse
from settle import settle  # type: ignore[import-not-found]  # it lies beside this where this runs

app = APIGatewayHttpResolver()
dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


class AuditEvent(BaseModel):
    version: str
    type: str
    action: str
    metadata: dict[str, Any]
    payload: dict[str, Any] | None
    timestamp: str


@app.post("/webhooks/<source>")
def receive(source: str) -> Response[str]:
    body = app.current_event.body or ""
    secret = str(parameters.get_secret("flipt-signing-secret"))
    signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature, app.current_event.headers.get("x-flipt-webhook-signature", "")):
        return Response(status_code=401, body="")
    event = parse(event=app.current_event.json_body, model=AuditEvent)
    settle(dynamodb, os.environ["FLAGCAST_STATE_TABLE"])
    sqs.send_message(QueueUrl=os.environ["FLAGCAST_QUEUE_URL"], MessageBody=event.model_dump_json())
    return Response(status_code=200, body="")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.resolve(event, context)  # type: ignore[arg-type]  # nothing of the context is used
