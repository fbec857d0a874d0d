"""SQS, refusing."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.deliver.harness import Stack


def refuse(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, operation: str, times: int = 1_000, url: str = ""
) -> threading.Event:
    """Refuse an operation so many times, on one queue or all; returns what is set when it first happened."""
    real = getattr(stack.simulator, operation)
    happened = threading.Event()
    left = times

    def refusing(**arguments: Any) -> Any:
        nonlocal left
        if left and url in ("", arguments["QueueUrl"]):
            left -= 1
            happened.set()
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "not now"}}, operation)
        return real(**arguments)

    monkeypatch.setattr(stack.simulator, operation, refusing)
    return happened
