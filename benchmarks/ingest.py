"""What ingest costs per event over its floor: processor time of the whole handler against a bare loop.

The floor makes the same SendMessageBatch calls, with hmac and json.loads and nothing else. Both run in turns in one
process against a stub SQS in another, so that the ratio holds on any machine.
"""

import hashlib
import hmac
import io
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.sqs_stub import sqs_stub

ROOT = Path(__file__).resolve().parents[1]
EVENT = json.loads((ROOT / "events" / "ingest.json").read_text(encoding="utf-8"))
SECRET = "capture-signing-secret"
EVENTS, ROUNDS, AIM = 300, 7, 1.25


def main() -> None:
    table = Table(title="Ingest: processor time per event", title_justify="left")
    for heading in ("destinations", "floor µs", "handler µs", "ratio", "spread", "aim"):
        table.add_column(heading, justify="right")
    with sqs_stub() as endpoint:
        for destinations in (1, 3, 10):
            floors, handlers = measure(endpoint, destinations)
            ratios = [handler / floor for floor, handler in zip(floors, handlers, strict=True)]
            median = statistics.median(ratios)
            table.add_row(
                str(destinations),
                f"{statistics.median(floors):.0f}",
                f"{statistics.median(handlers):.0f}",
                f"{median:.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{'✓' if median <= AIM else '✗'} {AIM}",
            )
    Console().print(table)
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    print(f"{datetime.now(UTC).date()}, {machine}; {ROUNDS} rounds of {EVENTS} events")


def measure(endpoint: str, destinations: int) -> tuple[list[float], list[float]]:
    """Return microseconds of processor time per event, round by round, of the floor and of the handler."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "flagcast.yaml"
        configuration.write_text(
            json.dumps(
                {
                    "sources": {"flipt": {"signing_secrets": ["${env:FLAGCAST_VAR_SECRET}"]}},
                    "destinations": {f"d{at}": {"url": "https://example.com"} for at in range(destinations)},
                }
            )
        )
        os.environ |= {
            "AWS_ENDPOINT_URL_SQS": endpoint,
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_DEFAULT_REGION": "us-east-1",
            "FLAGCAST_CONFIG": str(configuration),
            "FLAGCAST_QUEUE_URL": f"{endpoint}/123456789012/tasks.fifo",
            "FLAGCAST_DEAD_LETTER_QUEUE_URL": f"{endpoint}/123456789012/dead.fifo",
            "FLAGCAST_SECRET_PREFIX": "",
            "FLAGCAST_PARAMETER_PREFIX": "",
            "FLAGCAST_BODIES_BUCKET": "bodies",
            "FLAGCAST_STATE_TABLE": "state",
            "FLAGCAST_CIRCUIT_BREAKER": "on",
            "FLAGCAST_VAR_SECRET": SECRET,
        }
        handle, floor = handler(), bare_loop()
        timed(handle)
        timed(floor)
        rounds = [(timed(floor), timed(handle)) for _ in range(ROUNDS)]
        return [floor for floor, _ in rounds], [handle for _, handle in rounds]


def timed(work: Callable[[], None]) -> float:
    began = time.process_time()
    for _ in range(EVENTS):
        work()
    return (time.process_time() - began) / EVENTS * 1e6


def handler() -> Callable[[], None]:
    sys.path.insert(0, str(ROOT / "functions" / "ingest"))
    import ingest
    from flagcast.edges import wiring

    wiring.forget()

    def one() -> None:
        with redirect_stdout(io.StringIO()):
            answer = ingest.handler(EVENT, None)
        assert answer["statusCode"] == 200, answer

    return one


def bare_loop() -> Callable[[], None]:
    """Make the floor: verify, parse, and the very calls that the handler makes, recorded from it."""
    from flagcast.edges.aws.client import client

    sqs: Any = client("sqs")
    calls: list[dict[str, Any]] = []
    sqs.meta.events.register("provide-client-params.sqs.SendMessageBatch", lambda params, **_: calls.append(params))
    handler()()
    (call,) = calls
    sqs.meta.events.unregister("provide-client-params.sqs.SendMessageBatch")

    def one() -> None:
        body = EVENT["body"].encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(signature, EVENT["headers"]["x-flipt-webhook-signature"])
        json.loads(body)
        sqs.send_message_batch(**call)

    return one


if __name__ == "__main__":
    main()
