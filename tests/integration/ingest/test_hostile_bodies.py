"""Hostile bodies, genuinely signed, from the request to every kind of destination: each is delivered or buried."""

import io
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from flagcast.config.presets import read_preset
from flagcast.edges.aws.queue import Queue
from flagcast.edges.runtime.configuration_file import read_presets
from flagcast.edges.wiring import resources
from flagcast.tasks.outgoing_message import Entry
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer
from tests.fuzz.fuzz_task import destinations
from tests.fuzz.harness import Kept, signed, world
from tests.integration.deliver.harness import FOREVER, INVOCATION, Stack, forget
from tests.integration.ingest.hanging import LONGEST
from tests.integration.ingest.hostile_bodies import FAMILIES, NO_EVENT, written
from tests.support.alone import alone
from tests.support.api_gateway import http_event
from tests.support.iam.recorded import watched
from tests.support.time_limits import ends_within

NAMES = destinations()


class Bodies:
    """S3, as far as deliver asks it."""

    exceptions = SimpleNamespace(NoSuchKey=KeyError)

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self._bodies = bodies

    def get_object(self, **call: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self._bodies[call["Key"]])}


@pytest.fixture
def stored() -> dict[str, bytes]:
    """Hold what is in the bucket."""
    return {}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: dict[str, bytes], aws: None) -> Iterator[Stack]:
    forget()
    with Receiver() as receiver:
        made = Stack(tmp_path, monkeypatch, receiver)
        clients = {
            "sqs": made.simulator,
            "secretsmanager": made.secrets,
            "dynamodb": made.state,
            "s3": Bodies(stored),
        }
        monkeypatch.setattr(resources, "client", watched(clients.__getitem__, "deliver"))
        made.configure(NAMES)
        for name in NAMES:
            receiver.script(f"/{name}", [content(name)])
        yield made
    forget()


def content(name: str) -> Answer:
    """Answer as the vendor of a preset does when it is content."""
    preset = read_presets().get(name)
    documented = read_preset(preset).answers.accepted if preset is not None else ()
    return Answer(documented[0].status, body=documented[0].text.encode()) if documented else Answer(body=b"ok")


def taken_in(body: bytes) -> tuple[int, Kept]:
    """Send a body as its owner would; both take part in what is judged of every answer."""
    event = http_event(headers=signed(body), body=body, encoded=True)
    with world({name: {**keys, "url": "https://example.com/in"} for name, keys in NAMES.items()}) as cold:
        cold.ask(http_event(source="nobody"))
        with ends_within(LONGEST):
            cold.run(event)
        return cold.ask(event)


@pytest.mark.parametrize("body", NO_EVENT.values(), ids=NO_EVENT.keys())
def test_what_is_no_event_is_kept_whole_with_its_reason(body: bytes) -> None:
    status, kept = taken_in(body)
    assert status == 400
    (letter,) = kept.messages["dead letters"]
    said = letter["MessageAttributes"]
    assert said["reason"]["StringValue"] == "invalid_event"
    assert 0 < len(said["detail"]["StringValue"]) < 100


def put(stack: Stack, kept: Kept) -> None:
    """Put on the queue what ingest put there, and its body where deliver finds it."""
    entries = [
        Entry(each["MessageBody"], each["MessageGroupId"], each["MessageDeduplicationId"])
        for each in kept.messages["tasks"]
    ]
    Queue(stack.simulator, stack.url).send(entries, FOREVER)


FIRST = [pytest.param(dict([*family.items()][:1]), id=f"the first of {name}") for name, family in FAMILIES.items()]
WHOLE = [pytest.param(family, id=f"every one of {name}", marks=pytest.mark.long) for name, family in FAMILIES.items()]


@pytest.mark.parametrize("family", [*FIRST, *WHOLE])
def test_an_event_ends_delivered_or_dead_lettered_at_every_kind_of_destination(
    stack: Stack, stored: dict[str, bytes], capfd: pytest.CaptureFixture[str], family: dict[str, bytes]
) -> None:
    for name, body in family.items():
        status, kept = taken_in(body)
        assert (status, len(kept.messages["tasks"])) == (200, len(NAMES)), name
        stored |= kept.bodies
        put(stack, kept)
        # Nothing that is asked of a destination once a second has to wait.
        stack.clock.advance(10)
        before = len(stack.dead_letters()), len(stack.receiver.requests())
        while stack.waiting():
            with ends_within(INVOCATION):
                assert stack.deliver() == [], f"{name}: a task stayed on the queue"
        lines = stack.lines(capfd)
        assert [line for line in lines if line["event"] != "delivery.attempted"] == [], name
        assert sorted(line["destination"] for line in lines) == sorted(NAMES), name
        ends = {line["destination"]: line["outcome"] for line in lines}
        assert set(ends.values()) <= {"delivered", "filtered", "dead_lettered"}, name
        assert ends["as-it-came"] == "delivered", name
        buried = [line for line in lines if line["outcome"] == "dead_lettered"]
        # The receiver takes no header of a megabyte, and says so with 431.
        assert {line["reason"] for line in buried if line.get("status") != 431} <= {"render_failed", "filter_failed"}, (
            name
        )
        assert len(stack.dead_letters()) - before[0] == len(buried), name
        for request in stack.receiver.requests()[before[1] :]:
            headers = {key.lower(): value for key, value in request.headers}
            assert "x-injected" not in headers, name
            if request.path == "/as-it-came":
                assert request.body == body, name
            elif "json" in headers["content-type"]:
                msgspec.json.decode(request.body)


# 150 to 190 MB is what Python makes of 6 MB of the smallest lists and objects there are.
@pytest.mark.parametrize(
    ("piece", "megabytes"),
    [
        ('{"":0},', 300),
        *(pytest.param(*each, marks=pytest.mark.long) for each in (("[],", 250), ("0,", 60), ('"",', 60))),
    ],
)
def test_the_largest_body_is_taken_in_within_the_memory_that_ingest_has(piece: str, megabytes: int) -> None:
    probe = "import sys; from tests.integration.ingest.test_hostile_bodies import peak; print(peak(sys.argv[1]))"
    assert int(alone(probe, piece).splitlines()[-1]) < megabytes * 1_000_000


def peak(piece: str) -> int:
    """Return the bytes by which the process grows at most while the largest body of such pieces is accepted."""
    body = written(f"[{piece * (5_990_000 // len(piece))}0]")
    event = http_event(headers=signed(body), body=body, encoded=True)
    with world({name: {**keys, "url": "https://example.com/in"} for name, keys in NAMES.items()}) as cold:
        cold.ask(http_event(source="nobody"))
        before = most_memory()
        status, _ = cold.ask(event)
    assert status == 200
    return most_memory() - before


def most_memory() -> int:
    """Return the most bytes that this process ever had in memory; getrusage(2) counts KiB on Linux, bytes on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
