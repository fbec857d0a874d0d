"""What a destination does with a request, by a seeded script: the kinds, how likely each is, and what it sends."""

import socket
import ssl
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from msgspec import Struct

from tests.loss_check.seeded_random import SeededRandom

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing resets."""
MOST_FAULTS = 6
"""Requests of one task that may meet a fault; after that every answer is good, so that a run ends."""

COMMON: Mapping[str, float] = dict.fromkeys(
    (
        "reset before reading",
        "reset after reading",
        "closed without an answer",
        "status 5xx",
        "status 4xx to retry",
        "status 4xx",
        "status 410",
        "status 3xx",
        "Retry-After",
        "garbage",
        "cut in the status line",
        "cut in the head",
        "answer cut short",
        "answer longer than it says",
        "huge answer",
    ),
    0.004,
)
KILLS: Mapping[str, float] = dict.fromkeys(
    ("killed when the request has arrived", "killed when it is answered", "killed while it reads (memory)"), 0.0015
)
SLOW: Mapping[str, float] = dict.fromkeys(
    ("no answer", "head drips", "body drips", "slow head", "answer too late", "killed while it waits (time limit)"),
    0.008,
)
STATUSES = {
    "status 5xx": [500, 502, 503, 504],
    "status 4xx to retry": [408, 425, 429],
    "status 4xx": [400, 404, 413, 422],
    "status 410": [410],
    "status 3xx": [301, 302, 303, 307, 308],
    "Retry-After": [429, 503],
}
UNTIL_GONE = 4.0
"""Real seconds for which an answer is kept back: longer than the timeout of who waits for it."""


class Request(Struct):
    """One request whose head was read; `body` reads the rest."""

    destination: str
    event_id: str
    pid: int
    head: str
    body: Callable[[], bytes]


class Talk(Struct):
    """How one request was dealt with."""

    status: int | None = None
    lost: bool = False
    rests: bool = False
    kept: bool = False
    """The connection can be used again."""


def choose(dice: SeededRandom, scale: float, slow: float, destination: str, event_id: str, before: int) -> str:
    """Choose what happens to a task's next request."""
    if before >= MOST_FAULTS:
        return "good"
    scaled = {kind: chance * scale for kind, chance in {**COMMON, **KILLS}.items()}
    if destination == "loose":
        scaled |= {kind: chance * slow for kind, chance in SLOW.items()}
    return dice.choose(scaled, "request", destination, event_id, before) or "good"


def perform(
    connection: socket.socket, request: Request, kind: str, dice: SeededRandom, kill: Callable[[str], None]
) -> Talk:
    """Do what was chosen; an OSError means that no one heard the end of it."""
    if kind == "reset before reading":
        _reset(connection)
        return Talk()
    body = request.body()
    if b"deadly" in body and request.destination == "mirror":
        kill("by a deadly event")
        return Talk(lost=True)
    match kind:
        case "killed when the request has arrived":
            kill("when its request had arrived")
            return Talk(lost=True)
        case "killed when it is answered":
            connection.sendall(_answer(200))
            kill("when it was answered")
            return Talk(200)
        case "killed while it reads (memory)":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"." * 1000)
            kill("while it read the answer")
            return Talk(lost=True)
        case "killed while it waits (time limit)":
            time.sleep(0.1)
            kill("while it waited for an answer")
            return Talk(lost=True)
        case "reset after reading":
            _reset(connection)
            return Talk(lost=True)
        case "closed without an answer":
            return Talk(lost=True)
        case "garbage":
            connection.sendall(b"\x16\x03\x00 nothing that anyone understands\r\n\r\n")
            return Talk(lost=True)
        case "cut in the status line":
            connection.sendall(b"HTTP/1.1 20")
            return Talk(lost=True)
        case "cut in the head":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
            return Talk(200, lost=True)
        case "answer cut short":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nok")
            return Talk(200)
        case "answer longer than it says":
            connection.sendall(_answer(200, b"ok") + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
            return Talk(200)
        case "huge answer":
            # No one reads it to its end, which is the point.
            with suppress(OSError):
                connection.sendall(_answer(200, b"." * 3_000_000))
            return Talk(200)
        case "no answer":
            _until_gone(connection, None)
            return Talk(lost=True)
        case "head drips":
            _until_gone(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Slow: " + b"." * 10_000)
            return Talk(lost=True)
        case "slow head":
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            _until_gone(connection, None)
            return Talk(lost=True)
        case "answer too late":
            _until_gone(connection, None)
            connection.sendall(_answer(200))
            return Talk(lost=True)
        case "body drips":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            _until_gone(connection, b"." * 10_000)
            return Talk(200)
        case "good":
            connection.sendall(_answer(200, b'{"ok":true}'))
            return Talk(200, kept=True)
    status = dice.among(STATUSES[kind], "status", request.destination, request.event_id, kind)
    rests = kind == "Retry-After"
    echo = request.head.encode("latin-1")
    connection.sendall(_answer(status, echo, {"Retry-After": "3"} if rests else {}))
    return Talk(status, rests=rests or status == 429, kept=True)


def _answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def _until_gone(connection: socket.socket, drip: bytes | None) -> None:
    """Wait until the other side has gone, dripping a byte now and then."""
    end = time.monotonic() + UNTIL_GONE
    connection.settimeout(0.05)
    at = 0
    try:
        while time.monotonic() < end:
            try:
                if not connection.recv(1):
                    return
            except (TimeoutError, ssl.SSLWantReadError):
                if drip is not None:
                    connection.sendall(drip[at : at + 1])
                    at += 1
    except OSError:
        return
    finally:
        connection.settimeout(None)
