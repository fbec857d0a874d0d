"""Where a stack keeps its dead letters, and how to get there."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import Struct

from flagcast.edges.aws.body_store import BodyStore
from flagcast.edges.aws.queue import Queue
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.deployed import existing

STACK = "flagcast"
_NEEDED = ("DeadLetterQueueUrl", "TaskQueueUrl")


class StackQueues(Struct, frozen=True):
    """One stack's queues and stored bodies, and the time there."""

    stack: str
    account: Account
    sqs: Any
    dead_letter_url: str
    dead_letters: Queue
    task_url: str
    tasks: Queue
    bodies: BodyStore
    now: Callable[[], float]
    wait: Callable[[float], None]

    def in_flight(self) -> int:
        """Count the letters that a command holds, this one included; SQS calls it approximate."""
        return self._count("ApproximateNumberOfMessagesNotVisible")

    def dead(self) -> int:
        """Count the letters there are, those included that a command holds; SQS calls it approximate."""
        return self._count("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    def _count(self, *names: str) -> int:
        with self.account.asking("could not look up the dead-letter queue"):
            answer = self.sqs.get_queue_attributes(QueueUrl=self.dead_letter_url, AttributeNames=list(names))
        return sum(int(answer["Attributes"][name]) for name in names)


def place_of(stack: str, account: Account = ENVIRONMENT) -> StackQueues:
    """Find a stack's queues by its outputs; raises CommandError."""
    client = account.clients()
    there = existing(client("cloudformation"), account, stack, *_NEEDED)
    sqs = client("sqs")
    return StackQueues(
        stack=stack,
        account=account,
        sqs=sqs,
        dead_letter_url=there.outputs["DeadLetterQueueUrl"],
        dead_letters=Queue(sqs, there.outputs["DeadLetterQueueUrl"]),
        task_url=there.outputs["TaskQueueUrl"],
        tasks=Queue(sqs, there.outputs["TaskQueueUrl"]),
        bodies=BodyStore(partial(client, "s3"), there.outputs.get("BodiesBucketName", "")),
        now=time.time,
        wait=time.sleep,
    )
