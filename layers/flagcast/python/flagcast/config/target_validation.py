"""What must hold of a destination whose `url` is an ARN."""

import re
from collections.abc import Iterator, Mapping

from flagcast.config.model import Destination, Problem
from flagcast.config.value_path import join
from flagcast.primitives.aws_target import NotATarget, read_target

OF_HTTP: Mapping[str, str] = {
    "method": "AWS decides how a service is called",
    "sign": "AWS verifies who sends",
    "ca_file": "the certificate is AWS's",
    "allow_http": "AWS is always called by https",
    "allow_private": "the address is AWS's",
}
"""Keys that say something of HTTP, and why they say nothing of an AWS service."""

MOST_HEADERS = 7
"""A message has 10 attributes at most: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html.

Flagcast sets two, and one in what it replays.
"""

_ATTRIBUTE_NAME = r"(?i)(?!aws\.|amazon\.)(?!.*\.\.)[a-z0-9_-]([a-z0-9_.-]{0,254}[a-z0-9_-])?"
"""The same page."""


def check_target(destination: Destination) -> Iterator[Problem]:
    """Yield what is wrong with a destination's ARN, and with what it sends there."""
    if destination.url.references:
        what = "an ARN cannot contain a reference; write it out: an ARN is no secret"
        yield Problem("url", what)
        return
    target = read_target(destination.url)
    if isinstance(target, NotATarget):
        yield Problem("url", target.detail)
    elif target.service in ("sqs", "sns"):
        yield from _check_attributes(destination)


def check_own_keys(url: str, own: Mapping[str, object]) -> Iterator[Problem]:
    """Yield the keys of a destination that say nothing where its `url` is an ARN.

    Only its own: what `defaults` say of HTTP is said of the other destinations.
    """
    for key, why in OF_HTTP.items():
        if key in own:
            yield Problem(key, f"cannot be used with an ARN: {why}; delete it", is_key=True)
    target = read_target(url)
    if not isinstance(target, NotATarget) and target.service == "events" and own.get("headers"):
        yield Problem("headers", "cannot be used with an event bus: its events have none; use body", is_key=True)


def _check_attributes(destination: Destination) -> Iterator[Problem]:
    if len(destination.headers) > MOST_HEADERS:
        what = f"{len(destination.headers)} are too many; use at most {MOST_HEADERS}: they become message attributes"
        yield Problem("headers", what)
    for name in destination.headers:
        if not re.fullmatch(_ATTRIBUTE_NAME, name):
            what = "is not the name of a message attribute; use letters, digits, -, _ and single dots inside"
            yield Problem(join("headers", name), what, is_key=True)
