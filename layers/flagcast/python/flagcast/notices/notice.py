"""A notice: an event of Flagcast's own, which notifies one destination that another is in trouble, or has recovered."""

import shlex
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from flagcast.config.model import Ordering
from flagcast.events.event import NOTICE, NOTICES
from flagcast.notices.trouble import RETRIED, Trouble
from flagcast.tasks.outgoing_message import Entry
from flagcast.tasks.routing import message_group_id
from flagcast.tasks.task import deduplication_id, encode, event_id, task

Kind = Literal["trouble", "recovered"]


def notice_id(kind: Kind, destination: str, trouble: Trouble) -> str:
    """Name a notice by what it says, so that one which is queued twice arrives once (within five minutes)."""
    return event_id(NOTICES, f"{kind}\0{destination}\0{trouble.since}".encode())


def notice_body(kind: Kind, destination: str, trouble: Trouble, waiting: int | None, stack: str, now: float) -> str:
    """Write a notice in the shape of Flipt's audit events.

    `waiting` counts the tasks of all destinations; `stack` is empty where it is not known; `now` in epoch seconds.
    """
    body: dict[str, Any] = {
        "version": "0.2",
        "type": NOTICE,
        "action": kind,
        "metadata": {"actor": {"name": "Flagcast"}},
        "payload": {
            "destination": destination,
            "since": rfc3339(trouble.since),
            "reason": trouble.reason,
            "status": trouble.status,
            "excerpt": trouble.excerpt,
            "waiting": waiting,
            "command": next_command(kind, destination, trouble, stack),
        },
        "timestamp": rfc3339(now),
    }
    return msgspec.json.encode(body).decode()


def notice_entry(event: str, body: str, destination: str, through: str, ordering: Ordering, now: float) -> Entry:
    """Make the message that takes a notice of one destination through another one.

    Notices of one destination stay in order, as far as the destination that is notified keeps order.
    """
    made = task(event, NOTICES, through, rfc3339(now), body)
    group = message_group_id(through, ordering, (NOTICE, destination), made.id)
    return Entry(encode(made), group, deduplication_id(made.id))


def next_command(kind: Kind, destination: str, trouble: Trouble, stack: str) -> str:
    """Return what is typed next: what waits, which dead letters there are, or that they are delivered again."""
    if kind == "recovered":
        command = f"flagcast dlq redrive --destination {shlex.quote(destination)}"
    elif trouble.reason in RETRIED:
        command = "flagcast status"
    else:
        command = f"flagcast dlq list --destination {shlex.quote(destination)}"
    return f"{command} --stack {stack}" if stack else command


def rfc3339(seconds: float) -> str:
    """Write epoch seconds as RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
