"""A small run: signed events through a stack that keeps real time, to a receiver that follows a seeded script."""

import json
import time
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Action, Answer, Received, Reset
from tests.loss_check.events import Made, make
from tests.loss_check.seeded_random import SeededRandom

DESTINATIONS: Mapping[str, tuple[str, ...]] = {
    "everything": ("*:*",),
    "everything-too": ("variant:*", "flag:*"),
    "segments": ("segment:*",),
    "any-order": ("rule:*", "rollout:*", "constraint:*"),
}
"""What each destination wants; its requests come to a path that begins with its name."""
ORDERED = ("everything", "everything-too", "segments")
"""Those to which the events of one subject come in order, and as they were sent."""
QUOTED = b"not with Bearer canary-header-secret"
"""What a destination that refuses says of what it was sent."""
FAULTS: Mapping[str, Action] = {
    "500": Answer(500),
    "503": Answer(503),
    "408": Answer(408),
    "429": Answer(429, {"Retry-After": "1"}),
    "reset": Reset(),
    "422": Answer(422, body=QUOTED),
    "410": Answer(410, body=QUOTED),
    "302": Answer(302, {"Location": "http://127.0.0.1:1/"}),
}
CHANCES = dict.fromkeys(FAULTS, 0.025)
SUBJECTS = 8
MARKS = ("", "large")
"""Of the events that are made, those that ask for nothing which only the long run's destinations have."""


class Letter(Struct, frozen=True):
    """One dead letter; the destination of an event that is none is `-`."""

    event_id: str
    destination: str
    reason: str
    status: str


def read_letter(body: str, attributes: Mapping[str, str]) -> Letter:
    """Read a message of the dead-letter queue; one without our attributes was taken by the queue's own net."""
    event_id, _, destination = json.loads(body)["id"].partition(":")
    return Letter(event_id, destination, attributes.get("reason", "queue_net"), attributes.get("status", ""))


class Place(Protocol):
    """A stack that runs."""

    def post(self, event: Made) -> int:
        """Send one event; returns the status of the answer."""

    def letters(self) -> list[Letter]:
        """Let the stack work for a second at most; returns the dead letters that were not returned before."""

    def archived(self) -> Mapping[str, list[str]]:
        """Return what is wrong with each object of the archive, by event: nothing where its signature holds."""

    def is_idle(self) -> bool:
        """Return whether the task queue is empty."""


class Seen(Struct):
    """What there is to judge."""

    sent: list[tuple[Made, int]]
    """Each event, and how it was answered."""
    requests: list[Received]
    letters: list[Letter]
    archived: Mapping[str, list[str]]
    left: bool
    """Whether there were tasks on the queue when patience ended."""


def run(
    place: Place, receiver: Receiver, count: int, seed: int, patience: float, paths: Mapping[str, str] | None = None
) -> Seen:
    """Send events and wait for their ends, up to so many seconds; a destination's path is its name unless said."""
    dice = SeededRandom(seed)
    paths = {name: f"/{name}" for name in DESTINATIONS} | dict(paths or {})
    before = len(receiver.requests())
    for path in paths.values():
        kinds = [dice.choose(CHANCES, path.split("/")[1], at) for at in range(count * 4)]
        receiver.script(path, [*(FAULTS[kind] if kind else Answer() for kind in kinds), Answer()])
    made = (make(number, dice, SUBJECTS) for number in range(count * 2))
    events = [each for each in made if each.mark in MARKS][:count]
    try:
        sent = [(event, place.post(event)) for event in events]
        letters: list[Letter] = []
        deadline = time.monotonic() + patience
        while not (is_idle := place.is_idle()) and time.monotonic() < deadline:
            letters += place.letters()
        while more := place.letters():
            letters += more
    finally:
        # The receiver may be others' too.
        for path in paths.values():
            receiver.script(path, [Answer()])
    return Seen(sent, receiver.requests()[before:], letters, place.archived(), not is_idle)


def struck() -> set[str]:
    """Name every answer of a script as it is counted."""
    return {f"answered {None if kind == 'reset' else kind}" for kind in FAULTS}
