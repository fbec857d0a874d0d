"""What ingest costs per event over its floor: processor time of the whole handler against a bare loop.

The floor makes the same calls of DynamoDB and SQS, with hmac and json.loads and nothing else. Both run in turns in one
process against a stub of AWS in another, so that the ratio holds on any machine. Each event is a change to a flag that
has changed often: a BatchGetItem, a PutItem with a condition, and one SendMessageBatch for ten destinations.
"""

import hashlib
import hmac
import io
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from botocore import xform_name

from benchmarks.aws_stub import SECRET, aws_stub
from benchmarks.measuring import ROOT, Row, compared, handlers, in_turns, stack_environment, take_one_processor

EVENT = json.loads((ROOT / "events" / "ingest.json").read_text(encoding="utf-8"))
DESTINATIONS = (1, 3, 10, 50)
EVENTS, ROUNDS, LIMIT = 200, 11, 1.25
CALLS = 3
"""At least: the row is read, the row is written, the tasks are sent."""


def measured() -> list[Row]:
    """Measure events for 1, 3, 10 and 50 destinations."""
    with aws_stub() as endpoint:
        return [_for_so_many(endpoint, destinations) for destinations in DESTINATIONS]


def _for_so_many(endpoint: str, destinations: int) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        configuration = {
            "sources": {"flipt": {"signing_secrets": ["${env:FLAGCAST_VAR_SECRET}"]}},
            "destinations": {f"d{at}": {"url": "https://example.com"} for at in range(destinations)},
        }
        os.environ |= stack_environment(Path(folder), endpoint, configuration) | {"FLAGCAST_VAR_SECRET": SECRET}
        handle = handler()
        ours, theirs = in_turns(ROUNDS, partial(_microseconds, handle), partial(_microseconds, bare_loop(handle)))
    return compared(f"ingest for {destinations}", "µs CPU", ours, theirs, "bare loop", LIMIT)


def _microseconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    for _ in range(EVENTS):
        work()
    return (time.process_time() - began) / EVENTS * 1e6


def handler() -> Callable[[], None]:
    """Return what has the handler accept one event."""
    handlers()
    import ingest
    from flagcast.edges.wiring import resources

    resources.forget()

    def one() -> None:
        with redirect_stdout(io.StringIO()):
            answer = ingest.handler(EVENT, None)
        assert answer["statusCode"] == 200, answer

    return one


def bare_loop(handle: Callable[[], None]) -> Callable[[], None]:
    """Make the floor: verify, parse, and the very calls that the handler makes, recorded from it."""
    from flagcast.edges.aws.client import client

    calls: list[Callable[[], Any]] = []

    def record(made: Any, params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append(partial(getattr(made, xform_name(model.name)), **params))

    recorders = [(client(service), f"provide-client-params.{service}") for service in ("dynamodb", "sqs")]
    for made, event in recorders:
        made.meta.events.register(event, partial(record, made), unique_id="recorder")
    handle()
    for made, event in recorders:
        made.meta.events.unregister(event, unique_id="recorder")
    assert len(calls) >= CALLS, calls

    def one() -> None:
        body = EVENT["body"].encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(signature, EVENT["headers"]["x-flipt-webhook-signature"])
        json.loads(body)
        for call in calls:
            call()

    return one


if __name__ == "__main__":
    take_one_processor()
    for row in measured():
        print(row)
