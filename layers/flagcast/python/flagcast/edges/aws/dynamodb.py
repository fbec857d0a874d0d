"""DynamoDB: how the state table is asked, and how its numbers are written."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from flagcast.edges.aws.client import error_name
from flagcast.errors import StateUnavailable
from flagcast.primitives.duration import DAY

KEPT_FOR = 30 * DAY
"""Seconds for which a row is kept after it was written, by the table's TTL on `expires`."""


class ConditionFailed(Exception):
    """A row is not as it was expected to be."""


def asked(call: Callable[..., Any], **arguments: Any) -> Any:
    """Return the answer to a call; raises ConditionFailed or StateUnavailable."""
    try:
        return call(**arguments)
    except (BotoCoreError, ClientError) as error:
        if (name := error_name(error)) == "ConditionalCheckFailedException":
            raise ConditionFailed from error
        raise StateUnavailable(name) from error


def number(value: float) -> str:
    """Write a number: DynamoDB takes 38 digits and no exponent that repr would write; microseconds are plenty."""
    return str(value) if isinstance(value, int) else f"{value:.6f}"
