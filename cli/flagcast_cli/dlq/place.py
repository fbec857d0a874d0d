"""Where a stack keeps its dead letters, and how to get there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from flagcast.edges.aws.bodies import Bodies
from flagcast.edges.aws.client import client, error_name
from flagcast.edges.aws.queue import Queue
from flagcast_cli.console import CommandError

STACK = "flagcast"
_NEEDED = ("DeadLetterQueueUrl", "TaskQueueUrl")
_SIGN_IN = "Sign in, or set AWS_PROFILE; `aws sts get-caller-identity` says who you are."
_REGION = "Set AWS_REGION to where the stack is."
_ADVICE = {
    "NoCredentialsError": _SIGN_IN,
    "PartialCredentialsError": _SIGN_IN,
    "CredentialRetrievalError": _SIGN_IN,
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "InvalidClientTokenId": _SIGN_IN,
    "UnrecognizedClientException": _SIGN_IN,
    "UnauthorizedSSOTokenError": _SIGN_IN,
    "SSOTokenLoadError": _SIGN_IN,
    "TokenRetrievalError": _SIGN_IN,
    "ProfileNotFound": _SIGN_IN,
    "NoRegionError": _REGION,
    "EndpointConnectionError": "Look at the network, at AWS_REGION, and at AWS_ENDPOINT_URL if it is set.",
    "AccessDenied": "Your credentials may not do this.",
    "AccessDeniedException": "Your credentials may not do this.",
}
"""By AWS's code or botocore's type: https://docs.aws.amazon.com/boto3/latest/guide/error-handling.html"""


class Place(Struct, frozen=True):
    """One stack's queues and stored bodies, and the time there."""

    stack: str
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
        with answering("the dead-letter queue could not be asked"):
            answer = self.sqs.get_queue_attributes(QueueUrl=self.dead_letter_url, AttributeNames=[name])
        return int(answer["Attributes"][name])


def place_of(stack: str) -> Place:
    """Find a stack's queues by its outputs, in the account and region of the environment; raises CommandError."""
    with answering(f"the stack {stack} could not be looked up"):
        try:
            found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            # So it answers for a stack that it does not know.
            if error_name(error) != "ValidationError":
                raise
            raise CommandError(
                f"there is no stack {stack} in this account and region",
                "--stack names another; AWS_PROFILE and AWS_REGION say where to look.",
                "For the stack of `flagcast dev`: AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1"
                " AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local",
            ) from error
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found[0].get("Outputs", [])}
        if missing := [name for name in _NEEDED if name not in outputs]:
            raise CommandError(
                f"the stack {stack} has no output {' and no '.join(missing)}",
                "It is not one of Flagcast's, or its deployment has not ended.",
            )
        sqs = client("sqs")
    return Place(
        stack=stack,
        sqs=sqs,
        dead_letter_url=outputs["DeadLetterQueueUrl"],
        dead_letters=Queue(sqs, outputs["DeadLetterQueueUrl"]),
        tasks=Queue(sqs, outputs["TaskQueueUrl"]),
        bodies=Bodies(lambda: client("s3"), outputs.get("BodiesBucketName", "")),
        now=time.time,
        wait=time.sleep,
    )


@contextmanager
def answering(otherwise: str) -> Iterator[None]:
    """Turn what AWS or the way to it refuses into a CommandError that says what to look at."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        name = error_name(error)
        raise CommandError(
            f"{otherwise}: {name}", _ADVICE.get(name, "Try again; if it stays, look up that name.")
        ) from error
