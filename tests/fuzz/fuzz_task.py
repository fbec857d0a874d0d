"""Bytes to one message of deliver's: read, rendered for every kind of destination, decided, buried. Run by `make fuzz`.

The first byte says what the rest is: a whole message, the body that a task carries to one of the destinations, or
the words of an event that it carries, by lines, so that a fuzzer need not write JSON to reach what renders them.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from flagcast.config.model import Configuration, Destination
from flagcast.config.read import Beside, read
from flagcast.delivery.attempt import Attempts
from flagcast.delivery.decision import Circumstances, decide
from flagcast.edges.aws.queue import _request_entry
from flagcast.edges.runtime.configuration_file import read_presets
from flagcast.edges.runtime.telemetry import Telemetry
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.rendering.render import is_json
from flagcast.tasks.dead_letter import dead_letter
from flagcast.tasks.outcomes import Answered, GiveUp, Outcome, RetryIn
from flagcast.tasks.outgoing_message import LARGEST_MESSAGE, LONGEST_ATTRIBUTE, Entry
from flagcast.tasks.progress import Progress
from flagcast.tasks.received_message import Message, read_record
from flagcast.tasks.task import encode, task
from tests.presets.hostile import FIELDS, HOSTILE
from tests.support import strict_sqs
from tests.unit.builders import FakeClock, middle

SAMPLES = Path(__file__).parents[2] / "events/flipt"
VERSION = b'"v":1'


def destinations() -> dict[str, dict[str, Any]]:
    """Say one destination of every kind: each preset, no body, Flipt's own template, and more."""
    made: dict[str, dict[str, Any]] = {
        "as-it-came": {},
        "go": {
            "engine": "go",
            "body": '{"type": "{{ .Type }}", "all": {{ toJson .Payload }}, "who": {{ toJson .Metadata }}}',
        },
        "jinja": {"body": '{"{{ event.type }}": {{ event.payload | tojson }}, "raw": "{{ event.raw }}"}'},
        "text": {"content_type": "text/plain", "body": "{{ event.payload }} {{ event.metadata }} {{ event.actor }}"},
        "headers": {"headers": {"X-Type": "{{ event.type }}", "X-Key": "{{ event.flag_key }}"}},
        "some": {"when": 'event.payload.key == "x" or event.namespace == "default"'},
    }
    for name, text in read_presets().items():
        made[name] = {"preset": name}
        for path in yaml.safe_load(text).get("needs", {}):
            part, _, key = path.partition(".")
            if key:
                made[name][part] = {key: "0123456789abcdef0123456789abcdef"}
    return made


class Nowhere:
    """Stands for secrets, stored bodies and gates: there are none."""

    def values(self, references: object, deadline: float, *, fresh: bool = False) -> dict[Any, str]:
        return {}

    def fetch(self, ref: str, deadline: float) -> bytes | None:
        return None

    def through(
        self, name: str, destination: Destination, progress: Progress, attempt: Callable[[], Outcome]
    ) -> Outcome:
        return attempt()


@cache
def configured() -> Configuration:
    """Read the configuration of every destination."""
    addressed = {name: {**each, "url": "https://example.com/in"} for name, each in destinations().items()}
    document = {"sources": {"flipt": {"auth": "none"}}, "destinations": addressed}
    made = read(json.dumps(document), Beside([], read_presets(), []))
    assert made.problems == ()
    return made


@cache
def attempts() -> Attempts:
    """Make what attempts, over a transport that only looks at what it is given."""
    nowhere = Nowhere()
    return Attempts(configured(), {}, nowhere, _look, nowhere, nowhere, lambda *_: Answered(200), FakeClock())


def _look(request: Request | AwsRequest, deadline: float) -> Answered:
    """Take a request that can be written as it is; fail on any other."""
    assert isinstance(request, Request)
    for name, value in request.headers.items():
        assert not set("\r\n\0") & set(value), name
        value.encode()
    if is_json(request.headers["Content-Type"]):
        msgspec.json.decode(request.body)
    return Answered(200, excerpt="ok")


@contextmanager
def target() -> Iterator[Callable[[bytes], None]]:
    """Yield what makes a message of bytes and sees it through; nothing of the process is changed for it."""
    yield one_input


def one_input(data: bytes) -> None:
    """Make a message of the bytes, and see it through to the line that is said of it."""
    kind, rest = data[:1], data[1:]
    names = list(configured().destinations)
    at = kind[0] if kind else 0
    if at < 6 * len(names):
        raw = rest if at < 2 * len(names) else worded(rest)
        settle(
            encode(task("evt_" + "0" * 32, "flipt", names[at % len(names)], "2026-01-02T03:04:05Z", raw)), readable=True
        )
    elif could_be_queued(text := rest.decode(errors="replace")):
        settle(text)


def worded(lines: bytes) -> bytes:
    """Write an event whose words are the lines; one that begins with a digit or a bracket is JSON where it can be."""
    words: list[Any] = []
    for line in lines.decode(errors="replace").split("\n"):
        try:
            words.append(json.loads(line) if line[:1] in set("0123456789-[{tfn") else line)
        except ValueError:
            words.append(line)
    words += ["flag", "updated", "success"][len(words) :]
    actor = dict(zip(("name", "email", "authentication", "ip"), words[4::3], strict=False))
    wire = {"type": str(words[0]) or "flag", "action": str(words[1]) or "updated", "status": words[2]}
    wire |= {"payload": dict(zip(FIELDS, words[3:], strict=False)) or None, "metadata": {"actor": actor}}
    return json.dumps(wire).encode()


def settle(text: str, *, readable: bool = False) -> Outcome:
    """Do with a message what deliver does, and hold each step to what follows it."""
    message = read_record(record(text))
    outcome = attempts().make(message, Progress())
    decision = decide(
        outcome, Circumstances(message.wear(10_000), 1, 0), attempts().policy(message).retry, 10_000, middle
    )
    assert not readable or not isinstance(decision, RetryIn), (decision, outcome)
    if isinstance(decision, GiveUp):
        bury(message, decision)
    lines: list[str] = []
    Telemetry(time.time, "fuzz", lines.append).attempted(message, outcome, decision, 1, 0.1)
    (line,) = lines
    assert line.endswith("}\n")
    json.loads(line)
    return outcome


def bury(message: Message, given_up: GiveUp) -> None:
    """Make the dead letter, as SQS would take it."""
    strict_sqs.check({"Entries": [_request_entry("0", dead_letter(message, given_up, 1))]})


def could_be_queued(text: str) -> bool:
    """Return whether SQS would ever have taken a message; no one puts one there that has no room for its reason."""
    try:
        strict_sqs.check({"Entries": [_request_entry("0", Entry(text, "group", "name"))]})
    except AssertionError:
        return False
    return len(text.encode()) < LARGEST_MESSAGE - 5 * LONGEST_ATTRIBUTE


def record(text: str) -> dict[str, Any]:
    """Write a record of the event source mapping's."""
    return {
        "messageId": "00000000-0000-0000-0000-000000000000",
        "receiptHandle": "receipt",
        "body": text,
        "attributes": {
            "MessageGroupId": "group",
            "SequenceNumber": "18850",
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1000",
            "ApproximateFirstReceiveTimestamp": "1000",
        },
    }


def seeds() -> Iterator[bytes]:
    """Yield what to begin with: a real event to every destination, and whole messages, whole and cut."""
    names = list(configured().destinations)
    for at, path in enumerate(sorted(SAMPLES.glob("*.json"))):
        yield bytes([at % len(names)]) + path.read_bytes()
        made = encode(
            task("evt_1", "flipt", names[at % len(names)], "2026-01-02T03:04:05Z", path.read_bytes())
        ).encode()
        yield b"\xff" + made
        yield b"\xff" + made[: at * 7 % len(made)]
        yield b"\xff" + made.replace(VERSION, b'"v":2')
    for at, word in enumerate(HOSTILE):
        yield bytes([2 * len(names) + at % (4 * len(names))]) + "\n".join(["flag", "updated", *[word] * 24]).encode()
    stored = {"v": 1, "id": "evt_1:go", "event_id": "evt_1", "source": "flipt", "destination": "go", "received_at": "t"}
    for extra in (
        {"body_ref": "bodies/evt_1"},
        {"body_ref": "../x"},
        {"body_base64": "/w=="},
        {"body_base64": "?"},
        {},
    ):
        yield b"\xff" + json.dumps({**stored, **extra}).encode()
    yield b"\xff" + b'{"v":' + b"9" * 4_000 + b"}"
