from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flagcast.edges.aws import client as aws_client
from flagcast_cli.local.receiver import Receiver
from tests.integration.deliver.harness import Stack, create_table, forget
from tests.support.faulty_aws import Faults


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver, aws: None) -> Iterator[Stack]:
    forget()
    yield Stack(tmp_path, monkeypatch, receiver)
    forget()


@pytest.fixture
def faults(aws: None) -> Faults:
    """What goes wrong; a client knows of it that is made after it."""
    return Faults(aws_client._session())


@pytest.fixture
def table(faults: Faults) -> Any:
    return create_table()
