"""What every integration test stands on: AWS in this process, and a function that begins anew."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from flagcast.edges import wiring
from flagcast.edges.aws import client as aws_client

REGION = "eu-central-1"


def begin_anew() -> None:
    """Make the process what it is after a cold start: no client, no connection, nothing read or fetched."""
    aws_client.client.cache_clear()
    aws_client._session.cache_clear()
    wiring.forget()


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
        begin_anew()
        yield
        begin_anew()
