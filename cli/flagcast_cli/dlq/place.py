"""Where a stack keeps its dead letters, and how to get there."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import Struct

from flagcast.edges.aws.bodies import Bodies
from flagcast.edges.aws.queue import Queue
from flagcast_cli.aws import ENVIRONMENT, Account
from flagcast_cli.console import CommandError
from flagcast_cli.deployed import deployed

STACK = "flagcast"
_NEEDED = ("DeadLetterQueueUrl", "TaskQueueUrl")


class Place(Struct, frozen=True):
    """One stack's queues and stored bodies, and the time there."""

    stack: str
    account: Account
    sqs: Any
    dead_letter_url: str
    dead_letters: Queue
    tasks: Queue
    bodies: Bodies
    now: Callable[[], float]
    wait: Callable[[float], None]

    def in_flight(self) -> int:
        """Count the letters that somebody holds, ourselves included; SQS calls it approximate."""
        name = "ApproximateNumberOfMessagesNotVisible"
        with self.account.asking("the dead-letter queue could not be asked"):
            answer = self.sqs.get_queue_attributes(QueueUrl=self.dead_letter_url, AttributeNames=[name])
        return int(answer["Attributes"][name])


def place_of(stack: str, account: Account = ENVIRONMENT) -> Place:
    """Find a stack's queues by its outputs; raises CommandError."""
    client = account.clients()
    found = deployed(client("cloudformation"), account, stack)
    if found is None:
        raise CommandError(
            f"there is no stack {stack} in this account and region",
            "Name another with --stack, or look elsewhere with --region or --profile.",
            "For the local stack, set the variables that `flagcast dev` printed.",
        )
    if missing := [name for name in _NEEDED if name not in found.outputs]:
        raise CommandError(
            f"the stack {stack} has no output {' and no '.join(missing)}",
            "It is not one of Flagcast's, or its deployment has not ended.",
        )
    sqs = client("sqs")
    return Place(
        stack=stack,
        account=account,
        sqs=sqs,
        dead_letter_url=found.outputs["DeadLetterQueueUrl"],
        dead_letters=Queue(sqs, found.outputs["DeadLetterQueueUrl"]),
        tasks=Queue(sqs, found.outputs["TaskQueueUrl"]),
        bodies=Bodies(partial(client, "s3"), found.outputs.get("BodiesBucketName", "")),
        now=time.time,
        wait=time.sleep,
    )
