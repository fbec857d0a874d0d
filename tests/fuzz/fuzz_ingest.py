"""Bytes to one request of ingest's: who sends it, with what, in which shape. Run by `make fuzz`.

The first four bytes are chosen from, so that a fuzzer reaches every branch from any input; the rest is a header's
value or a name (as long as the fourth says), and the body.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from flagcast.ingest.body_check import probe
from tests.fuzz.harness import ROTATED, SOURCES, TOKEN, World, raw_of, signed, world

SAMPLES = Path(__file__).parents[2] / "events/flipt"
NAMES = (*SOURCES, None)
METHODS = ("POST", "POST", "POST", "GET", "post", "HEAD")
CREDENTIALS = 11
PARTS = (
    ("headers",), ("pathParameters",), ("body",), ("isBase64Encoded",), ("requestContext",),
    ("requestContext", "requestId"), ("requestContext", "http"), ("requestContext", "http", "method"),
    ("pathParameters", "source"), ("headers", "x-flipt-webhook-signature"),
)  # fmt: skip
ODD: tuple[object, ...] = (None, 0, 1.5, True, [], {}, "", "\ud800", ["POST"], {"source": "flipt"}, b"x")
"""What may stand where API Gateway puts something else; the first takes the part away."""


@contextmanager
def target() -> Iterator[Callable[[bytes], None]]:
    """Set the function up; yield what makes a request of bytes, hands it over and holds what comes of it."""
    with world() as warm:
        yield partial(one_input, warm)


def one_input(warm: World, data: bytes) -> None:
    """Make a request of the bytes, hand it over, and hold what comes of it to the contract."""
    choice, who, shape, cut = data[:4].ljust(4, b"\0")
    odd, body = data[4 : 4 + cut].decode(errors="surrogateescape"), data[4 + cut :]
    event = request(choice, NAMES[who % len(NAMES)] if who < 240 else odd or None, odd, body)
    if shape < 128:
        warm.ask(event)
    else:
        deform(event, shape, cut)
        warm.survive(event)


def request(choice: int, source: str | None, odd: str, body: bytes) -> dict[str, Any]:
    """Write a request as API Gateway would."""
    encoded = bool(choice & 128)
    method = METHODS[(choice >> 4) % len(METHODS)]
    text = base64.b64encode(body).decode() if encoded else body.decode(errors="surrogateescape")
    event: dict[str, Any] = {
        "version": "2.0",
        "headers": {},
        "requestContext": {"requestId": "fuzz", "http": {"method": method}},
        "body": text,
        "isBase64Encoded": encoded,
    }
    if source is not None:
        event["pathParameters"] = {"source": source}
    event["headers"] = {name: value for name, value in [credential(choice & 15, odd, raw_of(event))] if name}
    return event


def credential(choice: int, odd: str, raw: bytes) -> tuple[str, str]:
    """Choose how a request would prove itself; the first four do."""
    ((name, right),) = signed(raw)
    rotated = signed(raw, ROTATED)[0][1]
    empty = signed(b"")[0][1]
    return (
        (name, right), (name.upper(), rotated), ("authorization", f"Bearer {TOKEN}"),
        ("Authorization", f"bEARER  {TOKEN} "),
        (name, f"{right},{rotated}"), (name, right.upper()), (name, empty), (name, odd), ("authorization", odd),
        ("authorization", f"Bearer {odd}"), (odd, right),
    )[choice % CREDENTIALS]  # fmt: skip


def deform(event: dict[str, Any], shape: int, other: int) -> None:
    """Put something else in the place of one part of the event, or nothing."""
    *above, last = PARTS[shape % len(PARTS)]
    at: Any = event
    for each in above:
        at = at.get(each, {})
    if other % len(ODD):
        at[last] = ODD[other % len(ODD)]
    else:
        at.pop(last, None)


def seeds() -> Iterator[bytes]:
    """Yield what to begin with: Flipt's own events, each credential, each source, each part taken away or odd."""
    bodies = [path.read_bytes() for path in sorted(SAMPLES.glob("*.json"))]
    yield from (bytes((at % 256, at % len(NAMES), 0, 0)) + body for at, body in enumerate(bodies))
    yield from (
        bytes((choice, who, 0, 4)) + b"\xc3\xa9\xff\n" + bodies[0] for choice in range(16) for who in (*range(7), 250)
    )
    yield from (
        bytes((128, 0, 128 + part, other)) + bodies[0] for part in range(len(PARTS)) for other in range(len(ODD))
    )
    yield from (bytes((0, who, 0, 0)) + probe("2026-01-02T03:04:05Z") for who in range(7))
    wire = json.loads(bodies[0])
    values: tuple[object, ...] = (None, 0, "x" * 500, [[]] * 9, {"": ""}, "\x00\n<b>", "\U0001f600")
    for value in values:
        yield from (bytes((0, 3, 0, 0)) + json.dumps({**wire, field: value}).encode() for field in wire)
