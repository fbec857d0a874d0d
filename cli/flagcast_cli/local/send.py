"""A signed event to an address, as Flipt sends it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import urllib3
from msgspec import Struct
from urllib3.exceptions import HTTPError, LocationValueError

from flagcast.events.flipt_signature import FLIPT_HEADER, flipt_signature
from flagcast_cli.console import CommandError

PATIENCE = 30.0
"""Seconds for an answer: an HTTP API has none after this, however long a function takes to start.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""

_ADVICE = {
    401: "The secret is not the source's. The stack's output SigningSecretCommand prints it.",
    404: "The path must end in /webhooks/ and the name of a source in flagcast.yaml.",
    503: "The function's log says which queue, secret or configuration could not be had.",
}


class Answer(Struct, frozen=True):
    """What came back."""

    status: int
    body: str

    @property
    def advice(self) -> str | None:
        """Return what to do about it, where that is known."""
        return _ADVICE.get(self.status)


def stamped(body: bytes) -> bytes:
    """Give a sample today's timestamp, so that sending it again is another event; written as Flipt writes it."""
    event = json.loads(body)
    if "timestamp" in event:
        event["timestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def read(path: Path) -> bytes:
    """Read an event's file; raises CommandError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", "Give the path of a file, or --type and --action.") from error


def send(body: bytes, url: str, secret: str) -> Answer:
    """Sign and post a body; raises CommandError if no answer comes."""
    if not url.startswith(("https://", "http://")):
        raise CommandError(f"{url} is not an address", "It begins with https://; it is the stack's output WebhookUrl.")
    headers = {"Content-Type": "application/json", FLIPT_HEADER: flipt_signature(body, secret)}
    try:
        response = urllib3.request("POST", url, body=body, headers=headers, timeout=PATIENCE, retries=False)
    except (HTTPError, LocationValueError) as error:
        raise CommandError(f"{url} did not answer: {error}", "Is it the stack's output WebhookUrl?") from error
    return Answer(response.status, response.data.decode(errors="replace"))
