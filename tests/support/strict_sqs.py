"""The limits that SQS enforces and its stand-ins do not, asserted on every request of a session."""

from collections.abc import Mapping
from typing import Any

from boto3.session import Session

from tests.support.sqs_limits import Refused, check_batch, check_entry, check_size, check_visibility


def enforce(session: Session) -> None:
    """Check each SQS request of the clients that the session makes from now on."""
    session.events.register("provide-client-params.sqs", _provide)


def _provide(**call: Any) -> None:
    check(call["params"])


def check(params: Mapping[str, Any]) -> None:
    """Raise AssertionError for parameters that AWS would refuse, whichever operation they are of."""
    try:
        if "Entries" in params:
            check_batch(params["Entries"])
        for each in params.get("Entries", [params]):
            if "MessageBody" in each:
                check_entry(each)
                check_size(each)
            if "VisibilityTimeout" in each:
                check_visibility(each["VisibilityTimeout"])
    except Refused as refused:
        raise AssertionError(f"SQS refuses: {refused.message}") from refused
