"""What a real Flipt had after each of 41 changes, and the events of each (tests/captures/README.md, states)."""

import json
from functools import cache
from typing import Any

from msgspec import Struct

from flagcast.core.event import Event, InvalidEvent, parse
from tests.support.captures import CAPTURES

RestState = dict[str, Any]
"""Flipt's whole REST state, camelCase: `namespaces`, and `by_namespace` with flags, segments, rules, rollouts."""


class Change(Struct, frozen=True):
    """A change: the bodies of its events, and the state after it. The first is the state before anything."""

    events: tuple[bytes, ...]
    state: RestState


@cache
def recorded() -> tuple[Change, ...]:
    lines = (CAPTURES / "flipt-1.61.0/states.jsonl").read_text(encoding="utf-8").split("\n")
    read = [json.loads(line) for line in lines if line]
    return tuple(Change(tuple(each.encode() for each in line["events"] or ()), line["state"]) for line in read)


def event_of(body: bytes) -> Event:
    event = parse(body)
    assert not isinstance(event, InvalidEvent)
    return event
