"""Whether the queues are as the template has them, and what waits on them."""

from collections.abc import Iterator, Mapping
from shlex import quote
from types import MappingProxyType

import msgspec

from flagcast_cli.doctor.facts import LOOKED_BACK, QUEUES, Facts, Queue
from flagcast_cli.doctor.finding import Finding, Unknown

_BOTH = {
    "DeduplicationScope": "messageGroup",
    "FifoThroughputLimit": "perMessageGroupId",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "1209600",
}
WANTED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"task queue": {**_BOTH, "VisibilityTimeout": "270"}, "dead-letter queue": _BOTH}
)
"""The attributes that the template sets and that can be changed outside of it; a test holds them to it."""
MAX_RECEIVES = 1000
_WAITING = (
    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
)  # fmt: skip
_OLDEST = 3600.0
"""Seconds: the default of the parameter OldestTaskSeconds."""


def check_queues(facts: Facts) -> Iterator[Finding]:
    """Look at the attributes of both queues."""
    for name in QUEUES:
        match facts.queues[name]:
            case None:
                found = "it does not exist: nothing can be stored on it"
                yield Finding(
                    name, "ill", found, ("Deploy the stack under another name; this one has lost its queue.",)
                )
            case Unknown() as unknown:
                yield unknown.as_finding(name)
            case Queue() as queue:
                changed = [*_changed(name, queue, facts)]
                yield from changed or [Finding(name, "ok", "its attributes match the template")]


def _changed(name: str, queue: Queue, facts: Facts) -> Iterator[Finding]:
    for attribute, wanted in WANTED[name].items():
        if (found := queue.attributes.get(attribute, "not set")) != wanted:
            yield _to_set(name, f"{attribute} is {found}, the template has {wanted}", queue, attribute, wanted, facts)
    other = facts.queues["dead-letter queue"]
    if name == "task queue" and isinstance(other, Queue) and "QueueArn" in other.attributes:
        policy = {"deadLetterTargetArn": other.attributes["QueueArn"], "maxReceiveCount": MAX_RECEIVES}
        if _read(queue.attributes.get("RedrivePolicy", "")) != policy:
            text = msgspec.json.encode(policy).decode()
            found = f"its RedrivePolicy is not the template's: the dead-letter queue after {MAX_RECEIVES} receives"
            yield _to_set(name, found, queue, "RedrivePolicy", text, facts)


def _to_set(name: str, found: str, queue: Queue, attribute: str, wanted: str, facts: Facts) -> Finding:
    # CloudFormation leaves alone what was changed outside of it while the template stays the same:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
    attributes = quote(msgspec.json.encode({attribute: wanted}).decode())
    fix = facts.where.aws(f"sqs set-queue-attributes --queue-url {queue.url} --attributes {attributes}")
    return Finding(name, "ill", found, (fix,))


def _read(policy: str) -> dict[str, object]:
    """Read a redrive policy; SQS writes the count as a number or as a text."""
    try:
        read = msgspec.json.decode(policy, type=dict[str, int | str])
    except msgspec.DecodeError:
        return {}
    count = str(read.get("maxReceiveCount", ""))
    return {**read, "maxReceiveCount": int(count) if count.isdecimal() else count}


def check_dead_letters(facts: Facts) -> Iterator[Finding]:
    """Look at how many tasks could not be delivered."""
    if isinstance(queue := facts.queues["dead-letter queue"], Queue):
        if number := queue.count(*_WAITING):
            found = f"{number}; each is kept for 14 days"
            yield Finding("dead letters", "ill", found, (facts.where.flagcast("dlq list"),))
        else:
            yield Finding("dead letters", "ok", "none")


def check_oldest_task(facts: Facts) -> Iterator[Finding]:
    """Look at what waits, and for how long."""
    queue = facts.queues["task queue"]
    if not isinstance(queue, Queue):
        return
    number, limit = queue.count(*_WAITING), float(facts.parameters.get("OldestTaskSeconds") or _OLDEST)
    match facts.oldest:
        case Unknown() as unknown:
            yield unknown.as_finding("waiting tasks")
        case float() as age if number and age > limit:
            log = facts.where.aws(f"logs tail /aws/lambda/{facts.where.stack}-deliver --since {LOOKED_BACK}m")
            found = f"{number}; the oldest was {age:.0f} s old, and OldestTaskSeconds is {limit:.0f}"
            yield Finding("waiting tasks", "ill", found, (log,))
        case float() as age if number:
            yield Finding("waiting tasks", "ok", f"{number}; the oldest was {age:.0f} s old")
        case _:
            yield Finding("waiting tasks", "ok", f"{number}" if number else "none")
