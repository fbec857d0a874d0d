"""Signed events made of real ones: each another, about one of so many subjects; and what a client should not send."""

import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from msgspec import Struct

from tests.loss_check.clock import BEGIN
from tests.loss_check.seeded_random import SeededRandom
from tests.support.captures import captured

SOURCE = "flipt"
NOT_ACCEPTED = "canary-not-accepted"
"""What every body holds that must not be accepted."""
NO_EVENT = "canary-no-event"
"""What every body holds that is no event: it may be found among the dead letters alone."""
LARGE = 300_000


class Made(Struct, frozen=True):
    """One event: what it is about by construction, what it asks for, and how it is sent."""

    number: int
    body: bytes
    kind: str
    noun: str
    verb: str
    subject: str
    mark: str

    @property
    def event_id(self) -> str:
        """The id that the documentation promises for this body."""
        return "evt_" + hashlib.sha256(SOURCE.encode() + b"\0" + self.body).hexdigest()[:32]


@cache
def _templates() -> list[dict[str, Any]]:
    nouns = ("flag", "variant", "rule", "rollout", "segment", "constraint")
    made = [json.loads(each.body) for each in captured("flipt-1.61.0/changes")]
    return [each for each in made if each["type"] in nouns]


KINDS = {"unsigned": 0.01, "wrongly signed": 0.01, "no event": 0.01}
MARKS = {"large": 0.02, "deadly": 0.005, "unrenderable": 0.008, "unfilterable": 0.008, "bodiless": 0.004}


def make(number: int, dice: SeededRandom, subjects: int) -> Made:
    """Make one event of a run."""
    wire = json.loads(json.dumps(dice.among(_templates(), "template", number)))
    payload, noun = wire["payload"], wire["type"]
    kind = dice.choose(KINDS, "kind", number) or "genuine"
    mark = (dice.choose(MARKS, "mark", number) or "") if kind == "genuine" else ""
    which = int(dice.roll("subject", number) * subjects)
    space = f"space-{which % 3}"
    payload["namespace_key"] = space
    about = "segment" if noun in ("segment", "constraint") else "flag"
    key = f"{about}-{which}"
    payload["key" if noun in ("flag", "segment") else f"{about}_key"] = key
    if noun == "rollout" and isinstance(payload.get("segment"), dict):
        payload["segment"] = {"key": "some", "value": True}
    payload["description"] = f'change {number} Zoë \u2028 "quoted" {mark}'
    if mark in ("large", "bodiless"):
        payload["description"] += "x" * LARGE
    wire["timestamp"] = datetime.fromtimestamp(BEGIN + number, UTC).isoformat().replace("+00:00", "Z")
    if kind in ("unsigned", "wrongly signed"):
        payload["description"] += NOT_ACCEPTED
    if kind == "no event":
        wire = {"version": "0.2", "type": "", "action": NO_EVENT, "number": number}
    body = json.dumps(wire, ensure_ascii=False, separators=(",", ":")).encode()
    return Made(number, body, kind, noun, str(wire["action"]), f"{about} {space} {key}", mark)
