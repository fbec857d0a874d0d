"""The demo: captured events through the real template on this machine, and what became of them."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from msgspec import Struct

from flagcast_cli.console import CommandError, marked, out, step
from flagcast_cli.local import send as sending
from flagcast_cli.local.dev_configuration import DEMO
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer, Received
from flagcast_cli.local.report import DeadLetter, Delivery, dead_letter_table, delivery_table, said_of_changes
from flagcast_cli.local.stack import Stack, local_stack
from flagcast_cli.samples import sample

Port = Annotated[int, Parameter(help="The port of the local stack on 127.0.0.1.", validator=Number(gte=1, lte=65_535))]
PORT = 4566
PATIENCE = 60.0

# The life of a flag, in the order in which Flipt sent it.
STORY = (
    ("namespace", "created"),
    ("flag", "created"),
    ("flag", "updated"),
    ("variant", "created"),
    ("segment", "created"),
    ("rule", "created"),
    ("distribution", "created"),
    ("rule", "updated-order"),
    ("rollout", "created"),
    ("flag", "deleted-denied"),
    ("flag", "deleted"),
)
OK_OF_SLACK = Answer(200, body=b"ok")
DESTINATIONS = ("archive", "team-chat", "incident-desk", "old-tool")


class Sent(Struct, frozen=True):
    """One event of the story that was accepted."""

    name: str
    event_id: str
    deliveries: int


def demo(*, port: Port = PORT) -> int:
    """Build and deploy the real template on this machine, send captured events through it, show what arrived."""
    began = time.monotonic()
    with local_stack(port, DEMO) as (stack, receiver):
        receiver.script("/team-chat", [OK_OF_SLACK])
        receiver.script("/incident-desk", [Answer(500), Answer(503), Answer(200)])
        receiver.script("/old-tool", [Answer(422, body=b"segments are not supported")])
        with step(f"Sending {len(STORY)} events that a real Flipt sent, signed with the stack's secret"):
            story = [_send(stack, kind, action) for kind, action in STORY]
        with step("Waiting until each is delivered or dead-lettered"):
            letters = _wait_until_settled(stack, receiver, story)
        deliveries = _deliveries(receiver.requests(), letters, story)
        changes = _changes(receiver.requests(), story)
    out.print(delivery_table([each.name for each in story], DESTINATIONS, deliveries, changes))
    out.print(dead_letter_table(letters))
    out.print(marked("Nothing is left running. [dim]{} s in all.[/]", round(time.monotonic() - began)))
    return 0


def _send(stack: Stack, kind: str, action: str) -> Sent:
    answer = sending.send(sending.read(sample(kind, action)), stack.webhook_url, stack.signing_secret)
    if answer.status != 200:
        raise CommandError(f"{kind} {action} was answered {answer.status}: {answer.body}", _log_of(stack))
    said = json.loads(answer.body)
    return Sent(f"{kind} {action.replace('-', ', ')}", said["event_id"], said["deliveries"])


def _log_of(stack: Stack) -> str:
    return f"The functions' log is in {stack.emulator.log}."


def _wait_until_settled(stack: Stack, receiver: Receiver, story: list[Sent]) -> list[DeadLetter]:
    """Wait until every task is delivered or a dead letter; returns the dead letters."""
    tasks = sum(sent.deliveries for sent in story)
    letters: list[DeadLetter] = []
    delivered = 0
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        letters += _receive_dead_letters(stack, story)
        delivered = sum(1 for received in receiver.requests() if received.answered == 200)
        if delivered + len(letters) >= tasks:
            return letters
    raise CommandError(
        f"{tasks - delivered - len(letters)} of {tasks} tasks were not settled within {PATIENCE:.0f} s",
        _log_of(stack),
    )


def _receive_dead_letters(stack: Stack, story: list[Sent]) -> Iterator[DeadLetter]:
    names = {sent.event_id: sent.name for sent in story}
    answer = stack.emulator.client("sqs").receive_message(
        QueueUrl=stack.outputs["DeadLetterQueueUrl"],
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        WaitTimeSeconds=1,
    )
    for message in answer.get("Messages", []):
        said = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        yield DeadLetter(
            destination=said["destination"],
            event=names.get(said["event_id"], said["event_id"]),
            reason=said["reason"],
            status=said.get("status", ""),
            detail=said.get("detail", ""),
        )


def _deliveries(
    requests: list[Received], letters: list[DeadLetter], story: list[Sent]
) -> dict[tuple[str, str], Delivery]:
    names = {sent.event_id: sent.name for sent in story}
    reasons = {(letter.event, letter.destination): letter.reason for letter in letters}
    deliveries: dict[tuple[str, str], Delivery] = {}
    for received in requests:
        headers: dict[str, Any] = {name.lower(): value for name, value in received.headers}
        key = (names[headers["webhook-id"]], received.path.strip("/"))
        attempts = deliveries[key].attempts + 1 if key in deliveries else 1
        deliveries[key] = Delivery(attempts, received.answered or 0, reasons.get(key))
    return deliveries


def _changes(requests: list[Received], story: list[Sent]) -> dict[str, list[str]]:
    """Return by event what it changed, as the message in the chat says it."""
    names = {sent.event_id: sent.name for sent in story}
    said: dict[str, list[str]] = {}
    for received in requests:
        if received.path == "/team-chat":
            headers = {name.lower(): value for name, value in received.headers}
            said[names[headers["webhook-id"]]] = said_of_changes(json.loads(received.body))
    return said
