"""What each function takes of memory at most, in the containers of `sam local`, with the largest bodies there are.

Every case has containers of its own, first without a limit, so that a peak is what the function takes and not what it
was given, then under the template's memory size, where what takes more is killed. Needs Docker, as `make
sam-local-test` does, and writes benchmarks/results/memory.json.
"""

import itertools
import json
import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from tests.sam_local.running import LARGEST_BODY, Functions, Tasks, sam_local_serving
from tests.support.api_gateway import http_event
from tests.support.captures import captured
from tests.support.ports import free_port

from flagcast.events.flipt_signature import FLIPT_HEADER, flipt_signature
from flagcast_cli.checkout import LOCAL_STACK
from flagcast_cli.console import step
from flagcast_cli.local.containers import bridge
from flagcast_cli.local.sam_local import SIGNING_SECRET, prepared
from flagcast_cli.local.stack import BUILT, Stack, local_stack

RESULT = Path(__file__).parent / "results" / "memory.json"
FUNCTIONS = ("IngestFunction", "DeliverFunction")
TASKS = 10
PAYLOAD = b'{"type":"%s","action":"updated","timestamp":"2026-01-02T03:04:05Z","payload":{"key":"%d","name":%s}}'
DESTINATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "as it came": ("flag", {}),
    "by Jinja2": ("segment", {"body": '{"by": "{{ event.actor }}", "payload": {{ event.payload | tojson }}}'}),
    "by Go": ("namespace", {"engine": "go", "body": '{"payload": {{ toJson .Payload }}}'}),
}


KEYS = itertools.count()


def flipts_largest() -> bytes:
    """Return the JSON string of the largest attachment that Flipt takes, as it wrote it."""
    body = captured("flipt-1.61.0/strings")[-1].body
    return body[body.index(b'"attachment":') + len(b'"attachment":') : body.index(b',"description"')]


def text(size: int, end: str = "") -> bytes:
    """Return a JSON string of so many bytes and an end; Python keeps four for each where one character needs four."""
    return b'"%s%s"' % (b"x" * size, end.encode())


BODIES = {
    "100 bytes": text(10),
    "1 MB, Flipt's own": flipts_largest(),
    "1 MB, an emoji in it": text(1_020_000, "\N{TRIANGULAR FLAG ON POST}"),
    "6 MB": text(LARGEST_BODY),
    "6 MB, an emoji in it": text(LARGEST_BODY, "\N{TRIANGULAR FLAG ON POST}"),
}


class Peak(Struct, frozen=True):
    """Mebibytes at most: of the function's process, and of its container, which holds the runtime's interface too."""

    process: float
    container: float


class Case(Struct, frozen=True):
    """Ten bodies: accepted by ingest one after the other, delivered all at a time."""

    body: str
    bytes: int
    delivered: str
    ingest: Peak
    deliver: Peak
    fits: bool
    """Whether the same went well under the template's memory size."""


class Result(Struct, frozen=True):
    date: str
    machine: str
    versions: dict[str, str]
    size: dict[str, int]
    """Mebibytes, of each function by the template."""
    tasks: int
    cases: list[Case]


def main() -> None:
    with stack() as (running, tasks):
        cases = [measured(running, tasks, body, destination) for body in BODIES for destination in DESTINATIONS]
    names = ("aws-sam-cli", "ministack", "msgspec", "urllib3")
    versions = {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    result = Result(datetime.now(UTC).date().isoformat(), machine, versions, sizes(), TASKS, cases)
    RESULT.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    show(result)


def show(result: Result) -> None:
    table = Table(title=f"MiB at most, with {result.tasks} bodies", title_justify="left")
    for heading in ("body", "delivered", "ingest", "container", "deliver", "container", "fits"):
        table.add_column(heading, justify="left" if heading in ("body", "delivered") else "right")
    for each in result.cases:
        peaks = [f"{size:.0f}" for peak in (each.ingest, each.deliver) for size in (peak.process, peak.container)]
        table.add_row(each.body, each.delivered, *peaks, "✓" if each.fits else "✗")
    Console().print(table)
    print(f"{result.date}, {result.machine}, {result.versions}; the template gives {result.size}")


@contextmanager
def stack() -> Iterator[tuple[Stack, Tasks]]:
    """Run the local stack with the three destinations; nothing but the containers takes tasks off its queue."""
    network = bridge()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        configuration = folder / "flagcast.yaml"
        configuration.write_text(
            json.dumps(
                {
                    "sources": {"flipt": {"signing_secrets": ["${secret:flipt-signing-secret}"]}},
                    "defaults": {
                        "allow_http": True,
                        "allow_private": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
                    },
                    "destinations": {
                        kind: {"url": "${ssm:receiver}/in", "events": [f"{kind}:*"], **made}
                        for kind, made in DESTINATIONS.values()
                    },
                }
            )
        )
        running, receiver = opened.enter_context(local_stack(free_port(), configuration))
        opened.enter_context(prepared(running, receiver, configuration, network))
        functions = running.emulator.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield running, Tasks(running)


def measured(running: Stack, tasks: Tasks, body: str, destination: str) -> Case:
    with step(f"{body}, delivered {destination}"):
        ingest, deliver = work(running, tasks, body, destination, "--no-memory-limit")
        try:
            work(running, tasks, body, destination)
            fits = True
        except AssertionError:
            fits = False
            tasks.purge()
    return Case(body, len(BODIES[body]), destination, ingest, deliver, fits)


def work(running: Stack, tasks: Tasks, body: str, destination: str, *more: str) -> tuple[Peak, Peak]:
    """Take ten events in and deliver them at once, in fresh containers; returns their peaks."""
    log = LOCAL_STACK / "sam-local-memory.log"
    value, kind = BODIES[body], DESTINATIONS[destination][0].encode()
    with sam_local_serving(running.emulator.environment(), free_port(), log, "start-lambda", *more) as port:
        functions = Functions(port)
        for key in itertools.islice(KEYS, TASKS):
            # Another key is another subject, so that each task is a group, and a thread, of its own.
            raw = PAYLOAD % (kind, key, value)
            headers = [(FLIPT_HEADER, flipt_signature(raw, SIGNING_SECRET))]
            answer = functions.invoke("IngestFunction", http_event(body=raw, headers=headers))
            assert answer["statusCode"] == 200, answer
        records = tasks.receive()
        assert len(records) == TASKS, len(records)
        assert functions.invoke("DeliverFunction", {"Records": records}) == {"batchItemFailures": []}
        tasks.delete(records)
        ingest, deliver = re.findall(r"SAM_CONTAINER_ID: (\w+)", log.read_text())
        return peak(ingest), peak(deliver)


def peak(container: str) -> Peak:
    """Read the peaks of a container: of its Python from /proc, of itself from its cgroup of either version."""
    of_cgroup = "cd /sys/fs/cgroup; cat memory.peak || cat memory/memory.max_usage_in_bytes"
    told = subprocess.run(
        ["docker", "exec", container, "sh", "-c", f"exec 2>/dev/null; cat /proc/[0-9]*/status; {of_cgroup}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    python = max(int(size) for size in re.findall(r"Name:\tpython.*?VmHWM:\s+(\d+) kB", told, re.DOTALL))
    return Peak(round(python / 1024, 1), round(int(told.split()[-1]) / 1024**2, 1))


def sizes() -> dict[str, int]:
    """Return the memory size of each function by the template."""
    built = yaml.safe_load((BUILT / "template.yaml").read_text(encoding="utf-8"))
    named = {name: built["Resources"][name]["Properties"]["MemorySize"]["Ref"] for name in FUNCTIONS}
    return {name: int(built["Parameters"][parameter]["Default"]) for name, parameter in named.items()}


if __name__ == "__main__":
    main()
