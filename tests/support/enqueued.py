"""Events put on the queue by the product's own code, as ingest does once it has let one in."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flagcast.edges.aws.queue import Queue
from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.events.event import Event, parse
from flagcast.flipt_state.resend_detection import FIRST
from flagcast.ingest.fan_out import fan_out, identify
from flagcast.primitives.timestamp import rfc3339
from tests.support.captures import captured
from tests.support.time_limits import PATIENCE


def flag_events(count: int, subjects: int) -> list[bytes]:
    """Make events of one real one: each changes another of so many flags."""
    real = next(json.loads(each.body) for each in captured("flipt-1.61.0/changes") if b'"type":"flag"' in each.body)
    made = []
    for at in range(count):
        payload = {**real["payload"], "key": f"flag-{at % subjects}", "description": f"change {at}"}
        made.append(json.dumps({**real, "payload": payload}).encode())
    return made


def enqueue(sqs: Any, url: str, configuration: Path, events: Sequence[bytes]) -> list[str]:
    """Put every event on the queue for each destination; returns their ids."""
    routes = read_configuration(configuration).destinations
    queue = Queue(sqs, url)
    identities = []
    for raw in events:
        event = parse(raw)
        assert isinstance(event, Event)
        identity = identify("flipt", raw, FIRST)
        entries = fan_out(identity, "flipt", rfc3339(time.time()), event, routes).entries.values()
        queue.send(list(entries), time.monotonic() + PATIENCE)
        identities.append(identity)
    return identities
