from collections.abc import Iterator
from pathlib import Path

import pytest

from flagcast_cli.receiver import Receiver
from tests.integration.deliver.harness import Stack, forget


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver, aws: None) -> Iterator[Stack]:
    forget()
    yield Stack(tmp_path, monkeypatch, receiver)
    forget()
