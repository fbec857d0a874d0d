"""A small run through the whole local stack: the real template, real routes and queues, and real time.

``python -m tests.loss_check.local --events 60 --seed 19``: it takes half a minute, most of it to build and deploy.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from flagcast.ingest import http_api
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.stack import WITH_ARCHIVE, Stack, local_stack
from tests.loss_check.archive import faults, versions
from tests.loss_check.client import headers
from tests.loss_check.events import Made
from tests.loss_check.short_run import Letter, read_letter, run
from tests.loss_check.short_run_judge import Judge
from tests.support.ports import free_port
from tests.support.time_limits import PATIENCE

CONFIGURATION = Path(__file__).parents[1] / "e2e" / "flagcast.yaml"
TRIES = 3
ANSWER = 10.0
"""Seconds for which an answer is waited for."""
COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


class LocalStack:
    """A deployed stack, which may hold the dead letters of others too."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sqs = stack.emulator.client("sqs")
        self._dead_letters = stack.outputs["DeadLetterQueueUrl"]
        self._ours: set[str] = set()

    def post(self, event: Made) -> int:
        """Send an event, and again where Flipt would; MiniStack swallows a repeat, as AWS does.

        On a busy machine a cold start is not answered in time.
        """
        self._ours.add(event.event_id)
        statuses = (self._post(event) for _ in range(TRIES))
        return next(
            (status for status in statuses if status != http_api.UNAVAILABLE.status), http_api.UNAVAILABLE.status
        )

    def letters(self) -> list[Letter]:
        """Take our dead letters off their queue; those of others stay."""
        answer = self._sqs.receive_message(
            QueueUrl=self._dead_letters, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
        )
        return [letter for each in answer.get("Messages", []) if (letter := self._taken(each))]

    def archived(self) -> Mapping[str, list[str]]:
        s3, bucket = self._stack.emulator.client("s3"), self._stack.outputs["ArchiveBucketName"]
        return faults(versions(s3, bucket), self._stack.signing_secret)

    def is_idle(self) -> bool:
        asked = self._sqs.get_queue_attributes(QueueUrl=self._stack.outputs["TaskQueueUrl"], AttributeNames=COUNTS)
        return not any(int(asked["Attributes"][name]) for name in COUNTS)

    def _post(self, event: Made) -> int:
        made = dict(headers(event, self._stack.signing_secret))
        try:
            return urllib3.request(
                "POST", self._stack.webhook_url, body=event.body, headers=made, timeout=ANSWER, retries=False
            ).status
        except HTTPError:
            return http_api.UNAVAILABLE.status

    def _taken(self, message: dict[str, Any]) -> Letter | None:
        said = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
        letter = read_letter(message["Body"], said)
        named = {"QueueUrl": self._dead_letters, "ReceiptHandle": message["ReceiptHandle"]}
        if letter.event_id not in self._ours:
            self._sqs.change_message_visibility(**named, VisibilityTimeout=0)
            return None
        self._sqs.delete_message(**named)
        return letter


def account(stack: Stack, receiver: Receiver, count: int, seed: int) -> Judge:
    """Send events through a stack whose configuration has the destinations of a small run, and judge."""
    return Judge(run(LocalStack(stack), receiver, count, seed, PATIENCE)).judge()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.loss_check.local", description="Account for every event.")
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--seed", type=int, default=19)
    asked = parser.parse_args()
    with local_stack(free_port(), CONFIGURATION, *WITH_ARCHIVE) as (stack, receiver):
        judge = account(stack, receiver, asked.events, asked.seed)
    print(json.dumps(judge.counts))
    for each in judge.broken:
        print(each, f"(seed {asked.seed})")
    return int(bool(judge.broken))


if __name__ == "__main__":
    sys.exit(main())
