from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flagcast_cli.local.receiver import Receiver
from flagcast_cli.main import app
from flagcast_cli.stack.account import Account
from tests.support.iam.recorded import watched

Run = Callable[..., int]


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every call of a command be one that docs/iam/operator.json allows."""
    clients = Account.clients
    monkeypatch.setattr(Account, "clients", lambda account: watched(clients(account), "operator"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], Path]:
    """Write a configuration whose one destination is `d`."""

    def write(destination: str) -> Path:
        source = "{auth: none, environment: production, flipt_url: https://flipt.example.com}"
        path = tmp_path / "flagcast.yaml"
        path.write_text(f"sources: {{flipt: {source}}}\ndestinations:\n  d:\n{destination}")
        return path

    return write


@pytest.fixture
def run() -> Run:
    def running(*words: str | Path) -> int:
        code = app([str(word) for word in words], result_action="return_value")
        assert isinstance(code, int)
        return code

    return running
