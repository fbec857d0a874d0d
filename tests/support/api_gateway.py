"""Requests as API Gateway's HTTP API hands them to a function, payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import uuid
from collections.abc import Iterable
from typing import Any

Headers = Iterable[tuple[str, str]]


def http_event(
    *,
    method: str = "POST",
    source: str | None = "flipt",
    headers: Headers = (),
    body: bytes = b"",
    encoded: bool = False,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Make the event of one request; `encoded` is what API Gateway does with a body that is not text to it."""
    path = "/health" if source is None else f"/webhooks/{source}"
    route = f"{method} /health" if source is None else "ANY /webhooks/{source}"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": joined(headers),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "Go-http-client/1.1",
            },
            "requestId": request_id or uuid.uuid4().hex,
            "routeKey": route,
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "isBase64Encoded": encoded,
    }
    if source is not None:
        event["pathParameters"] = {"source": source}
    if body:
        event["body"] = base64.b64encode(body).decode() if encoded else body.decode()
    return event


def joined(headers: Headers) -> dict[str, str]:
    """Fold header names to lower case, and join what repeats with a comma, as API Gateway does."""
    folded: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        folded[key] = f"{folded[key]},{value}" if key in folded else value
    return folded
