"""Events of the tests' own to the deployed template, and what is waited for after them."""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import urllib3

from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.local import send as sending
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Received
from flagcast_cli.local.stack import Stack
from tests.support.captures import TOKEN
from tests.support.time_limits import PATIENCE


def post_signed(stack: Stack, body: bytes) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    # On a busy machine ingest runs out of its 3.5 s, and Flipt sends again.
    while (answer := sending.send(body, stack.webhook_url, stack.signing_secret)).status == 503:
        assert time.monotonic() < deadline, answer
    assert answer.status == 200, answer
    said: dict[str, Any] = json.loads(answer.body)
    return said


def post_by_template(stack: Stack, body: bytes) -> dict[str, Any]:
    url = stack.webhook_url.removesuffix("flipt") + "by-template"
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain, application/json"}
    answer = urllib3.request("POST", url, body=body, headers=headers, retries=False)
    assert answer.status == 200, answer.data
    said: dict[str, Any] = answer.json()
    return said


def event_named(marker: str, kind: str = "flag", action: str = "updated") -> bytes:
    payload = {"key": marker, "name": marker, "namespace_key": "default"}
    wire = {"version": "0.2", "type": kind, "action": action, "payload": payload, "timestamp": "2026-01-02T03:04:05Z"}
    return json.dumps(wire).encode()


def turned_on(stack: Stack, flag: str, namespace: str) -> Iterator[str]:
    """Have ada turn a flag off and on, and again each time that one asks; yields the last event's id.

    On a busy machine ingest runs out of its second for the table, so it is asked until what was before is known.
    """

    def turn(enabled: bool, second: int) -> str:
        made = json.loads(event_named(flag))
        made["payload"] |= {"namespace_key": namespace, "enabled": enabled}
        made |= {"metadata": {"actor": {"name": "ada"}}, "timestamp": rfc3339(second)}
        return str(post_signed(stack, json.dumps(made).encode())["event_id"])

    deadline = time.monotonic() + PATIENCE
    for second in itertools.count(step=2):
        turn(enabled=False, second=second)
        yield turn(enabled=True, second=second + 1)
        assert time.monotonic() < deadline


def wait_for(receiver: Receiver, path: str, marker: str, count: int) -> list[Received]:
    return receiver.wait_for(count, path, timeout=PATIENCE, holding=marker.encode())


def wait_until_empty(stack: Stack) -> None:
    """Wait for what another test has sent, too: its last deliveries were counted here."""
    sqs = stack.emulator.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = sqs.get_queue_attributes(QueueUrl=stack.outputs["TaskQueueUrl"], AttributeNames=names)
        if not any(int(count) for count in answer["Attributes"].values()):
            return
    raise AssertionError("the queue did not empty")
