"""What deliver costs: processor time per delivery, rendering included, and deliveries per second.

The handler works through batches of ten tasks for ten destinations. Beside it a bare thread pool of requests posts the
bodies that the handler rendered, and Powertools' sequential FIFO processor posts them one after the other. The
destination and AWS are processes of their own.
"""

import io
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import requests
import yaml
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from requests.adapters import HTTPAdapter

from benchmarks.aws_stub import aws_stub
from benchmarks.measuring import (
    ROOT,
    Row,
    compared,
    handlers,
    in_turns,
    receiver,
    stack_environment,
    take_one_processor,
)
from flagcast.edges.runtime.configuration_file import read_presets
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.tasks.outcomes import Outcome
from flagcast.tasks.task import encode, task

DESTINATIONS, ROUNDS = 10, 9
BATCHES = {0: 30, 50: 6}
"""Batches of a round, by the milliseconds in which the destination answers."""
CPU_LIMIT, SPEED_LIMIT = 1.4, 8.0
TEMPLATE = """{
  "text": "{{ event.actor }} {{ event.verb_phrase }} {{ event.resource_key }} in {{ event.namespace }}",
  "at": "{{ event.timestamp }}", "url": {{ event.url | tojson }}, "payload": {{ event.payload | tojson }}
}"""
EVENT = json.loads((ROOT / "events" / "ingest.json").read_text(encoding="utf-8"))["body"]
NUMBERS = itertools.count()


class Context:
    """Lambda's context, as far as it is used."""

    def get_remaining_time_in_millis(self) -> int:
        return 45_000


def measured() -> list[Row]:
    """Measure at destinations that answer at once and after 50 ms."""
    rows = []
    for milliseconds, preset in ((0, False), (50, False), (0, True)):
        with aws_stub() as endpoint, receiver(milliseconds) as address, tempfile.TemporaryDirectory() as folder:
            environment = stack_environment(Path(folder), endpoint, configuration(address, preset=preset))
            rows += _against(milliseconds, address, environment, preset=preset)
    return rows


def _against(milliseconds: int, address: str, environment: dict[str, str], *, preset: bool) -> list[Row]:
    os.environ |= environment
    work, sent = handler()
    work()
    bodies = [each.body for each in sent]
    batches = BATCHES[milliseconds]
    with ThreadPoolExecutor(DESTINATIONS) as threads:
        bare = thread_pool(threads, address, bodies)
        ours, theirs = in_turns(ROUNDS, lambda: _processor_ms(work, batches), lambda: _processor_ms(bare, batches))
    beside = "thread pool"
    if preset:
        return [compared("deliver, Slack preset", "ms CPU", ours, theirs, beside)]
    rows = [compared(f"deliver, {milliseconds} ms", "ms CPU", ours, theirs, beside, CPU_LIMIT)]
    if milliseconds:
        one_by_one = sequential(address, bodies)
        ours, theirs = in_turns(3, lambda: _per_second(work, batches), lambda: _per_second(one_by_one, 1))
        name, beside = f"deliver, {milliseconds} ms", "sequential"
        rows.append(compared(name, "/s", ours, theirs, beside, SPEED_LIMIT, at_least=True))
    return rows


def _processor_ms(work: Callable[[], None], batches: int) -> float:
    began = time.process_time()
    for _ in range(batches):
        work()
    return (time.process_time() - began) / (batches * DESTINATIONS) * 1e3


def _per_second(work: Callable[[], None], batches: int) -> float:
    began = time.perf_counter()
    for _ in range(batches):
        work()
    return batches * DESTINATIONS / (time.perf_counter() - began)


def handler() -> tuple[Callable[[], None], list[Request]]:
    """Return what delivers one batch by the handler, and what its first batch sends."""
    handlers()
    import deliver
    from flagcast.edges.wiring import deliver_batch, resources

    resources.forget()
    deliver_batch.attempts.cache_clear()
    sent: list[Request] = []
    send = deliver_batch.send

    def recorded(request: Request | AwsRequest, deadline: float) -> Outcome:
        if isinstance(request, Request) and len(sent) < DESTINATIONS:
            sent.append(request)
        return send(request, deadline)

    deliver_batch.send = recorded
    deliver_batch.attempts()
    deliver_batch.send = send

    def batch() -> None:
        event = {"Records": [record(f"d{at}") for at in range(DESTINATIONS)]}
        with redirect_stdout(io.StringIO()) as lines:
            answer = deliver.handler(event, Context())
        assert answer == {"batchItemFailures": []}, lines.getvalue()

    return batch, sent


def record(destination: str) -> dict[str, Any]:
    """Make one record of the event source mapping, each of a group of its own."""
    number, now = next(NUMBERS), str(int(time.time() * 1000))
    return {
        "messageId": f"m{number}",
        "receiptHandle": f"r{number}",
        "body": encode(task(f"evt_{number:032}", "flipt", destination, "2026-01-02T03:04:05.678Z", EVENT)),
        "attributes": {
            "MessageGroupId": f"g{number}",
            "SequenceNumber": str(number),
            "ApproximateReceiveCount": "1",
            "SentTimestamp": now,
            "ApproximateFirstReceiveTimestamp": now,
        },
    }


def thread_pool(threads: ThreadPoolExecutor, address: str, bodies: Sequence[bytes]) -> Callable[[], None]:
    """Return what posts the same bodies at the same time on kept connections, and nothing else."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=DESTINATIONS))

    def post(at: int) -> int:
        headers = {"Content-Type": "application/json"}
        return session.post(f"{address}/d{at}", data=bodies[at], headers=headers, timeout=10).status_code

    def batch() -> None:
        assert set(threads.map(post, range(DESTINATIONS))) == {200}

    return batch


def sequential(address: str, bodies: Sequence[bytes]) -> Callable[[], None]:
    """Return what posts the same bodies by Powertools' processor for FIFO queues."""
    processor, session = SqsFifoPartialProcessor(), requests.Session()

    def post(record: Any) -> None:
        at = int(json.loads(record.body)["destination"].removeprefix("d"))
        headers = {"Content-Type": "application/json"}
        session.post(f"{address}/d{at}", data=bodies[at], headers=headers, timeout=10).raise_for_status()

    def batch() -> None:
        event = {"Records": [record(f"d{at}") for at in range(DESTINATIONS)]}
        answer = process_partial_response(event, post, processor, Context())  # type: ignore[arg-type]  # not used by it
        assert answer == {"batchItemFailures": []}

    return batch


def configuration(address: str, *, preset: bool = False) -> dict[str, Any]:
    """Return the configuration of ten destinations at one address, with a short body or that of the Slack preset."""
    body = yaml.safe_load(read_presets()["slack"])["body"] if preset else TEMPLATE
    source = {"signing_secrets": ["${env:FLAGCAST_VAR_SECRET}"], "flipt_url": "https://flipt.example.com"}
    made = {"content_type": "application/json", "body": body}
    return {
        "sources": {"flipt": source},
        "defaults": {"allow_http": True, "allow_private": ["127.0.0.0/8"]},
        "destinations": {f"d{at}": {"url": f"{address}/d{at}", **made} for at in range(DESTINATIONS)},
    }


if __name__ == "__main__":
    take_one_processor()
    for row in measured():
        print(row)
