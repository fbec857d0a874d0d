"""How long the ledger takes for each question over 100,000 events with 300,000 deliveries.

The rows come out of log lines that the functions' own telemetry writes, through the parser, into a file of SQLite as
the commands keep it. One delivery in ten is retried, one in a hundred a dead letter, one in a thousand still waits.
What AWS adds to the first copy, a page of 1 MB at a time, is not measured. `python -m benchmarks.ledger` writes the
results: the median of five runs, and the processor's share of it, which a busy machine does not change much.
"""

import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import batched
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
from tests.unit.builders import RAW, RECEIVED_AT, changed, message

from flagcast.edges.runtime.telemetry import Telemetry
from flagcast.tasks.outcomes import Answered, Decision, Done, GiveUp, Outcome, Paused, RetryIn
from flagcast.tasks.task import task
from flagcast_cli.history import destination_state, queries
from flagcast_cli.history.event_lookup import one_event
from flagcast_cli.history.filter import Filter, require_known
from flagcast_cli.ledger.file import opened
from flagcast_cli.ledger.log_events import Lines
from flagcast_cli.ledger.log_line import LogEvent
from flagcast_cli.ledger.store import Store

FILE: Final = Path(__file__).parent / "results" / "ledger.json"
EVENTS: Final = 100_000
DESTINATIONS: Final = ("team-chat", "incident-desk", "archive")
LIMIT: Final = 1.0
"""Seconds for each question."""
PAGE: Final = 1_200
"""Lines in 1 MB."""
START: Final = 1_790_000_000.0
SPACING: Final = 26.0
"""Seconds from event to event: 100,000 in 30 days."""
ROUNDS: Final = 5


def lines(events: int = EVENTS) -> Iterator[LogEvent]:
    """Write the log of both functions."""
    dice = random.Random(7)
    told: list[str] = []
    clock = [START]
    telemetry = Telemetry(lambda: clock[0], "flagcast", told.append, names=True)
    for number in range(events):
        clock[0] = START + number * SPACING
        event_id = f"evt_{dice.getrandbits(128):032x}"
        before = {"key": f"flag-{number % 500}", "namespace_key": f"team-{number % 20}", "enabled": False}
        made = changed("flag", before, {**before, "enabled": True}, namespace=None)
        telemetry.accepted("flipt", event_id, made, list(DESTINATIONS), 0.02)
        for name in DESTINATIONS:
            received = message(task(event_id, "flipt", name, RECEIVED_AT, RAW), name=f"{event_id}-{name}")
            for outcome, decision in _what_happens(dice):
                clock[0] += 1
                telemetry.attempted(received, outcome, decision, 1, 0.05, clock[0] + 86_400)
    for number, text in enumerate(told):
        yield LogEvent(f"{number:056}", "stream", json.loads(text)["_aws"]["Timestamp"], text)


def _what_happens(dice: random.Random) -> list[tuple[Outcome, Decision]]:
    lot = dice.random()
    if lot < 0.001:
        return [(Paused(), RetryIn(60))]
    if lot < 0.011:
        return [(Answered(404, excerpt="no such channel"), GiveUp("rejected", "no such channel", 404))]
    delivered: tuple[Outcome, Decision] = (Answered(200, excerpt="ok"), Done())
    return [(Answered(503, excerpt="busy"), RetryIn(4)), delivered] if lot < 0.11 else [delivered]


def asked(store: Store, now: int) -> dict[str, Callable[[], Any]]:
    """Return the questions, by the command that asks them."""
    hour, day = now - 3_600_000, now - 86_400_000
    [some] = store.ask("SELECT event_id FROM events ORDER BY at LIMIT 1 OFFSET 50000")
    return {
        "events": partial(queries.events, store, Filter(), 50),
        "events --flag flag-17": partial(queries.events, store, Filter(flag="flag-17"), 50),
        "events --text": partial(queries.events, store, Filter(text="flag-499"), 50),
        "events --state dead-lettered": partial(queries.events, store, Filter(state="dead-lettered"), 50),
        "events --limit 0 --since 1d": partial(queries.events, store, Filter(since=day), 0),
        "deliveries": partial(queries.deliveries, store, Filter(), 50),
        "deliveries --state paused": partial(queries.deliveries, store, Filter(state="paused"), 50),
        "deliveries --destination team-chat --since 1h": partial(
            queries.deliveries, store, Filter(destination="team-chat", since=hour), 50
        ),
        "deliveries --namespace team-3 --state dead-lettered": partial(
            queries.deliveries, store, Filter(namespace="team-3", state="dead-lettered"), 50
        ),
        "deliveries --reason rejected": partial(queries.deliveries, store, Filter(reason="rejected"), 50),
        "deliveries --text": partial(queries.deliveries, store, Filter(text="no such channel"), 50),
        "event ID": partial(one_event, store, some["event_id"][:12], "flagcast"),
        "changes --since 1d --namespace team-3": partial(queries.changes, store, Filter(since=day, namespace="team-3")),
        "status: destinations": lambda: destination_state.destinations(
            store, now / 1000, queries.dead_letters(store, now / 1000)
        ),
        "status: sources": partial(destination_state.sources, store, now / 1000),
        "a filter's values": partial(
            require_known,
            store,
            Filter(flag="flag-17", actor="ada", destination="archive", reason="rejected"),
        ),
    }


def _timed(ask: Callable[[], Any]) -> tuple[float, float]:
    began, processor = time.perf_counter(), time.process_time()
    ask()
    return time.perf_counter() - began, time.process_time() - processor


def measured() -> dict[str, Any]:
    """Copy the log, and ask each question some times."""
    log = list(lines())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        with opened(path) as store:
            reader, began = Lines(), time.perf_counter()
            for page in batched(log, PAGE, strict=False):
                store.add([row for each in page for row in reader.read(each)])
            copied = time.perf_counter() - began
            took = {}
            for name, ask in asked(store, log[-1].at).items():
                runs = [_timed(ask) for _ in range(ROUNDS)]
                took[name] = {
                    "seconds": round(median(wall for wall, _ in runs), 4),
                    "processor": round(median(processor for _, processor in runs), 4),
                }
            size = path.stat().st_size + path.with_name(path.name + "-wal").stat().st_size
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "events": EVENTS,
        "deliveries": EVENTS * len(DESTINATIONS),
        "lines": len(log),
        "seconds to parse and store all lines": round(copied, 1),
        "megabytes": round(size / 1e6, 1),
        "limit": LIMIT,
        "questions": took,
    }


if __name__ == "__main__":
    found = measured()
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    print(json.dumps(found, indent=2))
    slow = [name for name, took in found["questions"].items() if took["seconds"] >= LIMIT]
    assert not slow, f"over {LIMIT} s: {', '.join(slow)}"
