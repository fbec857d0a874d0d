"""The HTTP contract of ingest: what API Gateway hands over, and every answer there is.

Payload format 2.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct


class Request(Struct, frozen=True):
    """One request; header names are lower-case, the body is the bytes that were sent.

    `address` is the caller's, as API Gateway saw it: that of the last gateway or proxy before it; empty if not given.
    `taken` is when API Gateway took the request in, in epoch milliseconds; 0 if not given.
    """

    id: str
    method: str
    source: str | None
    headers: Mapping[str, str]
    body: bytes
    address: str = ""
    taken: int = 0


class Answer(Struct, frozen=True):
    """One answer; there is never a Retry-After, for Flipt waits it out and loses the rest of its batch."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = {}
    is_to_head: bool = False
    """Whether only the head is asked for: RFC 9110 section 9.3.2 allows no body."""

    def as_response(self) -> dict[str, Any]:
        """Return what API Gateway expects of the function."""
        return {
            "statusCode": self.status,
            "headers": {"content-type": "application/json", **self.headers},
            "body": "" if self.is_to_head else msgspec.json.encode(self.body).decode(),
        }


def read_request(event: Mapping[str, Any]) -> Request:
    """Read API Gateway's event; `source` is None where the path names none."""
    context = event["requestContext"]
    return Request(
        id=context["requestId"],
        method=context["http"]["method"],
        source=(event.get("pathParameters") or {}).get("source"),
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=_body(event),
        address=context["http"].get("sourceIp") or "",
        taken=context.get("timeEpoch") or 0,
    )


def _body(event: Mapping[str, Any]) -> bytes:
    text: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(text)
        except ValueError:
            # Not what API Gateway sends; its signature will not hold either.
            return text.encode(errors="surrogatepass")
    return text.encode(errors="surrogatepass")


def accepted(event_id: str, deliveries: int) -> Answer:
    """Answer exactly 200: Flipt up to 1.44 sends again on anything else."""
    return Answer(200, {"event_id": event_id, "deliveries": deliveries})


HEALTHY = Answer(200, {"status": "ok"})


def _error(status: int, code: str, message: str, **headers: str) -> Answer:
    return Answer(status, {"error": code, "message": message}, headers)


INVALID_EVENT = _error(400, "invalid_event", "The body is not a Flipt audit event.")
TOO_OLD = _error(400, "too_old", "The event is older than the source's max_age, or has no readable timestamp.")
UNAUTHORIZED = _error(401, "unauthorized", "The signature or token is missing or wrong.")
FORBIDDEN = _error(403, "forbidden", "The source accepts no request from this address.")
UNKNOWN_SOURCE = _error(404, "unknown_source", "There is no such source.")
METHOD_NOT_ALLOWED = _error(405, "method_not_allowed", "Events are sent by POST.", allow="POST")
TOO_LARGE = _error(413, "too_large", "The event is larger than can be stored.")
LARGEST_BODY = 6 * 1024 * 1024
"""Bytes of a body that is stored.

None on AWS is larger: Lambda takes a request of 6 MB at most, its envelope included, and API Gateway one of 10 MB, and
they answer 413 themselves. This keeps it so behind anything else that takes requests in.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""
UNAVAILABLE = _error(503, "unavailable", "The event could not be stored; send it again.")
