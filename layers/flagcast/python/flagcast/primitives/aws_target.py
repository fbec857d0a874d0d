"""The ARN of a queue, topic, event bus or bucket that a destination can send to."""

import re
from typing import Literal, get_args

from msgspec import Struct

Service = Literal["sqs", "sns", "events", "s3"]
SERVICES: tuple[Service, ...] = get_args(Service)

FIFO = ".fifo"

# Not compiled here: every cold start would wait for it, and few configurations have an ARN.
_PARTITION = r"aws[a-z-]{0,20}"
_REGION = r"[a-z]{2,}(-[a-z]+)+-[0-9]+"
_ACCOUNT = r"[0-9]{12}"
_BUS = "event-bus/"

_NAMES: dict[Service, tuple[str, str]] = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    "sqs": (r"(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?", "a queue: 1 to 80 letters, digits, - or _"),
    # https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
    "sns": (r"(?=.{1,256}$)[A-Za-z0-9_-]+(\.fifo)?", "a topic: 1 to 256 letters, digits, - or _"),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
    "events": (r"event-bus/[A-Za-z0-9._-]{1,256}", "an event bus: event-bus/NAME"),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html and, of prefixes, the characters that
    # need no care: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    "s3": (
        r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.'()=-]+)*(?<!.{601})",
        "a bucket, or a bucket and a prefix: BUCKET or BUCKET/PREFIX, without / at the end",
    ),
}

_ACTIONS: dict[Service, str] = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
    "s3": "s3:PutObject",
}


class AwsTarget(Struct, frozen=True):
    """What an ARN says, checked; `region` and `account` are empty for a bucket, whose name is unique without them."""

    arn: str
    service: Service
    region: str
    account: str
    name: str
    """The name of the queue, topic, event bus or bucket."""
    prefix: str = ""
    """What the keys of objects in the bucket begin with, without a slash at its end."""

    @property
    def action(self) -> str:
        """Return the permission that sending to it needs."""
        return _ACTIONS[self.service]

    @property
    def is_fifo(self) -> bool:
        """Return whether it is a FIFO queue or topic, which keeps order and takes a repeat for one message."""
        return self.service in ("sqs", "sns") and self.name.endswith(FIFO)


class NotATarget(Struct, frozen=True):
    """An ARN that nothing can be sent to; `detail` says what is wrong, and what is allowed."""

    detail: str


def read_target(arn: str) -> AwsTarget | NotATarget:
    """Read an ARN: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html."""
    partition, service, region, account, resource = ([*arn.split(":", 5)[1:], "", "", "", "", ""])[:5]
    if not re.fullmatch(_PARTITION, partition):
        return NotATarget(f'"{partition}" is not a partition of AWS; use arn:aws:..., arn:aws-cn:... and so on')
    known = next((each for each in SERVICES if each == service), None)
    if known is None:
        return NotATarget(f'"{service}" is not a service that Flagcast sends to; use {_or(SERVICES)}')
    if known == "s3":
        if region or account:
            return NotATarget("the ARN of a bucket has no region and no account; use arn:aws:s3:::BUCKET/PREFIX")
    elif not re.fullmatch(_REGION, region):
        return NotATarget(f'"{region}" is not a region; use one such as eu-west-1')
    elif not re.fullmatch(_ACCOUNT, account):
        return NotATarget(f'"{account}" is not an account; use its 12 digits')
    shape, expected = _NAMES[known]
    if not re.fullmatch(shape, resource):
        return NotATarget(f'"{resource}" is not the name of {expected}')
    name, _, prefix = resource.removeprefix(_BUS).partition("/")
    return AwsTarget(arn, known, region, account, name, prefix)


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
