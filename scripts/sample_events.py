"""Choose the sample events from the captures, and write events/: `python -m scripts.sample_events` from the root.

flipt/*.json are bodies as Flipt sent them, byte for byte; ingest.json and deliver.json are the envelopes in which
API Gateway and SQS hand them to the functions, ready for `sam local invoke`.
"""

import json
from pathlib import Path
from typing import Any

from tests.support.captures import Captured, captured

from flagcast.events.event import Event, parse
from flagcast.events.subject import subject
from flagcast.tasks.routing import message_group_id
from flagcast.tasks.task import deduplication_id, encode, event_id, task

ROOT = Path(__file__).resolve().parents[1]
EVENTS = ROOT / "events"
RECEIVED_AT = "2026-11-23T23:03:50.123Z"


def main() -> None:
    """Write every file."""
    folder = EVENTS / "flipt"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    samples = dict(_samples())
    for name, capture in samples.items():
        (folder / f"{name}.json").write_bytes(capture.body)
    _write(EVENTS / "ingest.json", _api_event(samples["flag-updated"]))
    records = [_record(samples[name], at) for at, name in enumerate(("flag-created", "flag-updated"), 1)]
    _write(EVENTS / "deliver.json", {"Records": records})


def _samples() -> dict[str, Captured]:
    """Return the first capture of each kind by the name of its file."""
    chosen: dict[str, Captured] = {}
    for prefix, file in (
        ("", "flipt-1.61.0/changes"),
        ("", "flipt-1.61.0/tokens"),
        ("", "flipt-1.61.0/jwt-and-denied"),
        ("v0.1-", "flipt-1.28.0/changes"),
        ("v0.1-", "flipt-1.28.0/tokens"),
    ):
        for capture in captured(file):
            event = _event(capture.body)
            marks = [mark for mark, holds in (("order", event.is_order), ("denied", event.is_denied)) if holds]
            person = ["by-person"] if "email" in str(event.metadata) and not event.is_denied else []
            chosen.setdefault(prefix + "-".join([event.type, event.action, *marks, *person]), capture)
    for capture in captured("flipt-1.61.0/strings")[:-1]:  # the last is 1 MB
        chosen[f"odd-strings-{capture.seq:02d}"] = capture
    return chosen


def _event(body: bytes) -> Event:
    event = parse(body)
    assert isinstance(event, Event)
    return event


def _api_event(capture: Captured) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "ANY /webhooks/{source}",
        "rawPath": "/webhooks/flipt",
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in capture.headers},
        "pathParameters": {"source": "flipt"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "localhost",
            "http": {
                "method": "POST",
                "path": "/webhooks/flipt",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "Go-http-client/1.1",
            },
            "requestId": "sample-request",
            "routeKey": "ANY /webhooks/{source}",
            "stage": "$default",
            "time": "23/Nov/2026:23:03:50 +0000",
            "timeEpoch": 1795475030123,
        },
        "body": capture.body.decode(),
        "isBase64Encoded": False,
    }


def _record(capture: Captured, at: int) -> dict[str, Any]:
    identity = event_id("flipt", capture.body)
    made = task(identity, "flipt", "archive", RECEIVED_AT, capture.body)
    return {
        "messageId": f"00000000-0000-4000-8000-{at:012d}",
        "receiptHandle": f"sample-receipt-{at}",
        "body": encode(made),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795475030123",
            "SequenceNumber": f"{18849496460467696128 + at}",
            "MessageGroupId": message_group_id("archive", "subject", subject(_event(capture.body)), made.id),
            "SenderId": "AROAEXAMPLE:ingest",
            "MessageDeduplicationId": deduplication_id(made.id),
            "ApproximateFirstReceiveTimestamp": "1795475030234",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:flagcast-tasks.fifo",
        "awsRegion": "us-east-1",
    }


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
