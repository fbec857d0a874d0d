"""A small run through the whole local stack: the real template, real routes and queues, and real time.

``python -m tests.accountant.local --events 60 --seed 1``: it takes a minute or two, most of it to build and deploy.
"""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagcast_cli import send as sending
from flagcast_cli.actions import Action, Answer, Received, Reset
from flagcast_cli.local.demo import local_stack
from flagcast_cli.local.stack import Stack
from flagcast_cli.receiver import Receiver
from tests.accountant.dice import Dice
from tests.accountant.events import Made, make
from tests.support.ports import free_port

CONFIGURATION = Path(__file__).parent / "local.yaml"
PATIENCE = 240.0
FLAGS = frozenset({"flag", "variant", "rollout"})
ORDERED = ("everything", "flags")
CHANCES = dict.fromkeys(("500", "503", "408", "resting", "reset", "422", "410", "302"), 0.02)
ACTIONS: Mapping[str, Action] = {
    "500": Answer(500),
    "503": Answer(503),
    "408": Answer(408),
    "resting": Answer(429, {"Retry-After": "1"}),
    "reset": Reset(),
    "422": Answer(422),
    "410": Answer(410),
    "302": Answer(302, {"Location": "http://127.0.0.1:1/"}),
}
REASONS = {"422": "rejected", "302": "rejected", "410": "gone"}
Task = tuple[str, str]
"""Event id and destination."""


def account(stack: Stack, receiver: Receiver, count: int, seed: int) -> tuple[list[str], Counter[str]]:
    """Send events, wait for their ends, and return what was broken, and what was counted."""
    dice = Dice(seed)
    for path in (*ORDERED, "any-order"):
        kinds = [dice.choose(CHANCES, path, at) for at in range(count * 4)]
        receiver.script(f"/{path}", [*(ACTIONS[kind] if kind else Answer() for kind in kinds), Answer()])
    events = [made for at in range(count * 2) if (made := make(at, dice, 8)).kind == "genuine" and not made.mark][
        :count
    ]
    accepted = {}
    for event in events:
        answer = sending.send(event.body, stack.webhook_url, stack.signing_secret)
        if answer.status == 200:
            accepted[str(json.loads(answer.body)["event_id"])] = event
    wanted = {(name, path) for name, event in accepted.items() for path in _wanted(event)}
    letters: dict[Task, dict[str, str]] = {}
    deadline = time.monotonic() + PATIENCE
    delivered: dict[Task, list[Received]] = {}
    while time.monotonic() < deadline and not wanted <= {*delivered, *letters}:
        letters |= _dead_letters(stack)
        delivered = _delivered(receiver)
    counts = Counter(accepted=len(accepted), tasks=len(wanted), delivered=len(delivered), dead_letters=len(letters))
    counts["requests"] = len(receiver.requests())
    broken = [f"lost: {task}" for task in wanted - {*delivered, *letters}]
    broken += [f"unwanted: {task}" for task in {*delivered, *letters} - wanted]
    broken += [f"duplicate: {task}" for task, requests in delivered.items() if len(requests) > 1]
    broken += [f"both ends: {task}" for task in delivered.keys() & letters.keys()]
    broken += [
        f"untrue reason: {task} {letter}"
        for task, letter in letters.items()
        if REASONS.get(letter.get("status", "")) != letter["reason"]
    ]
    return broken + _reordered(list(accepted), accepted, receiver), counts


def _wanted(event: Made) -> list[str]:
    return ["everything", "any-order", *(["flags"] if event.noun in FLAGS else [])]


def _delivered(receiver: Receiver) -> dict[Task, list[Received]]:
    """Sort out the requests that were answered 2xx."""
    found: defaultdict[Task, list[Received]] = defaultdict(list)
    for each in receiver.requests():
        if each.answered is not None and 200 <= each.answered <= 299:
            found[_event_id(each), each.path[1:]].append(each)
    return found


def _event_id(request: Received) -> str:
    return next(value for name, value in request.headers if name.lower() == "webhook-id")


def _reordered(sent: list[str], accepted: Mapping[str, Made], receiver: Receiver) -> list[str]:
    places = {name: at for at, name in enumerate(sent)}
    broken = []
    for path in ORDERED:
        last: dict[str, int] = {}
        for (name, destination), _ in _delivered(receiver).items():
            if destination != path or name not in accepted:
                continue
            subject = accepted[name].subject
            if places[name] < last.get(subject, -1):
                broken.append(f"reorder: {name} at {path}")
            last[subject] = places[name]
    return broken


def _dead_letters(stack: Stack) -> dict[Task, dict[str, str]]:
    answer: Any = stack.emulator.client("sqs").receive_message(
        QueueUrl=stack.outputs["DeadLetterQueueUrl"],
        MaxNumberOfMessages=10,
        WaitTimeSeconds=1,
        MessageAttributeNames=["All"],
    )
    found = {}
    for each in answer.get("Messages", []):
        attributes = {name: value["StringValue"] for name, value in each["MessageAttributes"].items()}
        found[attributes["event_id"], attributes["destination"]] = attributes
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.accountant.local", description="Account for every event.")
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with local_stack(free_port(), CONFIGURATION) as (stack, receiver):
        broken, counts = account(stack, receiver, asked.events, asked.seed)
    print(json.dumps(counts))
    for each in broken:
        print(each, f"(seed {asked.seed})")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
