"""What every integration test stands on: AWS in this process, and a function that begins again."""

import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import moto.sqs.models
import pytest
from moto import mock_aws

from flagcast.edges.aws import client as aws_client
from flagcast.edges.runtime import bounded_calls
from flagcast.edges.wiring import resources
from tests.support.iam.recorded import Calls, recording
from tests.support.time_limits import PATIENCE

REGION = "eu-central-1"
DEADLINES = (
    "flagcast.edges.wiring.ingest_request.PATIENCE",
    "flagcast.edges.wiring.deliver_batch.PATIENCE",
    "flagcast.notices.publisher.PATIENCE",
    "flagcast.notices.publisher.COUNTED_IN",
    "flagcast.edges.aws.fail_fast.LONGEST_CALL",
)
"""The product's own, in seconds, for calls that AWS answers within milliseconds."""

# Moto works the same two dozen names of a queue's attributes out at each call: a twentieth of the time of these tests.
MOTOS_SQS: Any = moto.sqs.models
MOTOS_SQS.camelcase_to_underscores = cache(MOTOS_SQS.camelcase_to_underscores)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine be no AWS that hangs: the tests of what hangs set the deadline that they are about."""
    for name in DEADLINES:
        monkeypatch.setattr(name, PATIENCE)


@pytest.fixture(autouse=True)
def asked_of_aws() -> Iterator[Calls]:
    """Hold what each role asks of AWS against the list that its policies are evaluated by."""
    with recording() as calls:
        yield calls


def start_fresh() -> None:
    """Make the process what it is after a cold start: no client, no connection, nothing read or fetched."""
    aws_client.client.cache_clear()
    aws_client.target_client.cache_clear()
    aws_client._session.cache_clear()
    resources.forget()


def end_calls_left_behind() -> None:
    """Wait for the calls that were left behind at their deadline: the next test's AWS would get what they send."""
    threads, deadline = bounded_calls._THREADS, time.monotonic() + PATIENCE
    while len(threads._idle) < sum(each.name == threads.name for each in threading.enumerate()):
        assert time.monotonic() < deadline, "a call never ends"
        time.sleep(0.001)  # Between two looks, up to the deadline: a thread that becomes idle tells no one.


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with mock_aws():
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "NO_PROXY": "*",
            "no_proxy": "*",
        }.items():
            monkeypatch.setenv(name, value)
        start_fresh()
        yield
        end_calls_left_behind()
        start_fresh()
