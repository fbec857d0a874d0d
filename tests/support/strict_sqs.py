"""The limits that SQS enforces and its stand-ins do not, asserted on every request of a session.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

import re
from collections.abc import Mapping
from typing import Any

from botocore.session import Session

LARGEST = 1024 * 1024
LONGEST_VISIBILITY = 12 * 60 * 60
LONGEST_DELAY = 15 * 60
MOST_ATTRIBUTES = 10

_TEXT = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_FIFO_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ATTRIBUTE_NAME = re.compile(r"(?!(?i:aws|amazon)\.)(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_ATTRIBUTE_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")


def enforce(session: Session) -> None:
    """Check each SQS request of the clients that the session makes from now on."""
    session.register("provide-client-params.sqs", _provide)


def _provide(**call: Any) -> None:
    check(call["params"])


def check(params: Mapping[str, Any]) -> None:
    """Raise AssertionError for parameters that AWS would refuse, whichever operation they are of."""
    if "Entries" in params:
        _check_batch(params["Entries"])
    elif "MessageBody" in params:
        _check_message(params)
    _check_times(params)


def _check_batch(entries: list[Mapping[str, Any]]) -> None:
    assert 1 <= len(entries) <= 10, f"a batch of {len(entries)}"
    names = [each["Id"] for each in entries]
    assert len(set(names)) == len(names), "ids repeat in a batch"
    for each in entries:
        assert _ENTRY_ID.fullmatch(each["Id"]), f"entry id {each['Id']!r}"
        if "MessageBody" in each:
            _check_message(each)
        _check_times(each)
    total = sum(size(each) for each in entries if "MessageBody" in each)
    assert total <= LARGEST, f"a batch of {total} bytes"


def _check_message(message: Mapping[str, Any]) -> None:
    assert _TEXT.fullmatch(message["MessageBody"]), "the body is empty or holds a character that SQS refuses"
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        # Both queues are FIFO without content-based deduplication: both are required.
        assert _FIFO_ID.fullmatch(message.get(name, "")), f"{name} {message.get(name)!r}"
    assert "DelaySeconds" not in message, "a FIFO queue takes no delay for one message"
    attributes = message.get("MessageAttributes", {})
    assert len(attributes) <= MOST_ATTRIBUTES, f"{len(attributes)} attributes"
    for name, attribute in attributes.items():
        assert _ATTRIBUTE_NAME.fullmatch(name), f"attribute name {name!r}"
        assert _ATTRIBUTE_TYPE.fullmatch(attribute["DataType"]), f"type of attribute {name}"
        value = attribute.get("StringValue", attribute.get("BinaryValue"))
        assert value, f"attribute {name} is empty"
        assert isinstance(value, bytes) or _TEXT.fullmatch(value), f"attribute {name} holds a refused character"
    assert size(message) <= LARGEST, f"a message of {size(message)} bytes"


def _check_times(params: Mapping[str, Any]) -> None:
    visibility = params.get("VisibilityTimeout", 0)
    assert isinstance(visibility, int), f"visibility {visibility!r}"
    assert 0 <= visibility <= LONGEST_VISIBILITY, f"visibility of {visibility} s"
    assert 0 <= params.get("DelaySeconds", 0) <= LONGEST_DELAY, f"delay of {params.get('DelaySeconds')} s"


def size(message: Mapping[str, Any]) -> int:
    """Count the bytes as SQS does: the body, and each attribute's name, type and value."""
    counted = _bytes(message["MessageBody"])
    for name, attribute in message.get("MessageAttributes", {}).items():
        counted += _bytes(name) + _bytes(attribute["DataType"])
        counted += _bytes(attribute.get("StringValue") or attribute.get("BinaryValue") or "")
    return counted


def _bytes(value: str | bytes) -> int:
    return len(value) if isinstance(value, bytes) else len(value.encode(errors="surrogatepass"))
