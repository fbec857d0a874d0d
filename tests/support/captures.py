"""Requests recorded from real Flipt servers (tests/captures/README.md), as test input."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

CAPTURES = Path(__file__).parent.parent / "captures"
STATES = "flipt-1.61.0/states"
"""A file of another form: changes, their events and Flipt's state after each."""
SECRET = "capture-signing-secret"
TOKEN = "template-mode-token"


class Changed(Struct, frozen=True):
    """One change that was asked of Flipt: the bodies that it sent, and all that it had then, as REST says it."""

    request: dict[str, Any] | None
    events: tuple[bytes, ...]
    state: dict[str, Any]


class Captured(Struct, frozen=True):
    """One request as the receiver read it; `headers` in order, repeats included."""

    file: str
    seq: int
    path: str
    headers: tuple[tuple[str, str], ...]
    answered: int
    body: bytes

    @property
    def signed(self) -> bool:
        return any(name.lower() == "x-flipt-webhook-signature" for name, _ in self.headers)

    @property
    def is_event(self) -> bool:
        """Return whether the body is one: three of the templates are for others (captures/README.md)."""
        return not self.path.endswith(("/slack", "/logic", "/printed"))


@cache
def captured(file: str) -> tuple[Captured, ...]:
    """Read one file, such as ``flipt-1.61.0/changes``."""
    # Only \n ends a line: the bodies hold U+2028 and its like.
    lines = (CAPTURES / f"{file}.jsonl").read_text(encoding="utf-8").split("\n")
    return tuple(_captured(file, json.loads(line)) for line in lines if line)


@cache
def every_capture() -> tuple[Captured, ...]:
    """Read all files."""
    names = sorted(path.relative_to(CAPTURES).with_suffix("").as_posix() for path in CAPTURES.rglob("*.jsonl"))
    return tuple(each for name in names if name != STATES for each in captured(name))


@cache
def states() -> tuple[Changed, ...]:
    """Read the changes in turn; the first asked nothing, and has the state before anything."""
    lines = (CAPTURES / f"{STATES}.jsonl").read_text(encoding="utf-8").split("\n")
    read = [json.loads(line) for line in lines if line]
    return tuple(Changed(each["request"], tuple(map(str.encode, each["events"])), each["state"]) for each in read)


def _captured(file: str, line: dict[str, object]) -> Captured:
    body = line["body"]
    headers = line["headers"]
    assert isinstance(body, str)
    assert isinstance(headers, list)
    return Captured(
        file=file,
        seq=int(str(line["seq"])),
        path=str(line["path"]),
        headers=tuple((name, value) for name, value in headers),
        answered=int(str(line["answered"])),
        body=body.encode(),
    )
