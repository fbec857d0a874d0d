"""What SQS refuses, which neither moto nor MiniStack does in full.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

LARGEST = 1024 * 1024
LONGEST_INVISIBLE = 43_200
MOST_ATTRIBUTES = 10

_PREFIX = "AWS.SimpleQueueService."
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NAME = re.compile(r"""[A-Za-z0-9!"#$%&'()*+,./:;<=>?@\[\\\]^_`{|}~-]{1,128}""")
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_REFUSED_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Refused(Exception):
    """One entry, or a whole request, that SQS does not take."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    """Check what is asked of a request as a whole."""
    if not entries:
        raise Refused(_PREFIX + "EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > 10:
        raise Refused(_PREFIX + "TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.")
    names = [entry["Id"] for entry in entries]
    if not all(_ENTRY_ID.fullmatch(name) for name in names):
        raise Refused(_PREFIX + "InvalidBatchEntryId", "A batch entry id can only contain alphanumerics, - and _.")
    if len(set(names)) < len(names):
        raise Refused(_PREFIX + "BatchEntryIdsNotDistinct", "Id repeated.")
    if sum(size(entry) for entry in entries if "MessageBody" in entry) > LARGEST:
        raise Refused(_PREFIX + "BatchRequestTooLong", f"Batch requests cannot be longer than {LARGEST} bytes.")


def check_size(entry: Mapping[str, Any]) -> None:
    """Check the bytes of one message."""
    if size(entry) > LARGEST:
        raise Refused("InvalidParameterValue", f"One or more parameters are invalid: longer than {LARGEST} bytes.")


def check_entry(entry: Mapping[str, Any]) -> None:
    """Check one message to be sent to a FIFO queue."""
    if "MessageGroupId" not in entry:
        raise Refused("MissingParameter", "The request must contain the parameter MessageGroupId.")
    if "MessageDeduplicationId" not in entry:
        raise Refused("InvalidParameterValue", "The queue should have MessageDeduplicationId provided explicitly.")
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        if not _NAME.fullmatch(entry[name]):
            raise Refused("InvalidParameterValue", f"{name} can only include 1 to 128 alphanumerics and punctuation.")
    if "DelaySeconds" in entry:
        raise Refused("InvalidParameterValue", "DelaySeconds is not valid for this queue type.")
    if not entry["MessageBody"]:
        raise Refused("MissingParameter", "The request must contain the parameter MessageBody.")
    check_characters(entry["MessageBody"])
    _check_attributes(entry.get("MessageAttributes", {}))


def check_visibility(seconds: object) -> None:
    """Check a visibility timeout on its own, whenever the message was received."""
    if not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_INVISIBLE:
        raise Refused("InvalidParameterValue", f"VisibilityTimeout must be between 0 and {LONGEST_INVISIBLE}.")


def _check_attributes(attributes: Mapping[str, Mapping[str, str]]) -> None:
    if len(attributes) > MOST_ATTRIBUTES:
        raise Refused("InvalidParameterValue", f"Number of message attributes exceeds the limit [{MOST_ATTRIBUTES}].")
    for name, attribute in attributes.items():
        if not _ATTRIBUTE_NAME.fullmatch(name) or len(name) > 256 or name.lower().startswith(("aws.", "amazon.")):
            raise Refused("InvalidParameterValue", f"Message attribute name {name!r} is invalid.")
        if attribute["DataType"].partition(".")[0] not in ("String", "Number"):
            raise Refused("InvalidParameterValue", f"The type of message attribute {name!r} is not supported here.")
        if not attribute.get("StringValue"):
            raise Refused("InvalidParameterValue", f"Message attribute {name!r} must contain a non-empty value.")
        check_characters(attribute["StringValue"])


def check_characters(text: str) -> None:
    """Check what a message or an attribute is written in."""
    if _REFUSED_CHARACTER.search(text):
        raise Refused("InvalidMessageContents", "Invalid characters were found.")


def size(entry: Mapping[str, Any]) -> int:
    """Count the bytes that are limited: the body, and each attribute's name, type and value."""
    texts = [entry["MessageBody"]]
    for name, attribute in entry.get("MessageAttributes", {}).items():
        texts += [name, attribute["DataType"], attribute["StringValue"]]
    return sum(len(text.encode(errors="surrogatepass")) for text in texts)
