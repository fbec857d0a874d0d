"""The real template on MiniStack, deployed once for all end-to-end tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.stack import WITH_ARCHIVE, Stack, local_stack
from tests.e2e.test_pipeline import wait_until_empty
from tests.integration.conftest import start_fresh
from tests.support.captures import TOKEN
from tests.support.ports import free_port

CONFIGURATION = Path(__file__).parent / "flagcast.yaml"


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the configuration that the functions read: a copy, so that a test can deploy another."""
    return Path(shutil.copy(CONFIGURATION, tmp_path_factory.mktemp("configuration")))


@pytest.fixture(scope="session")
def running(deployed: Path) -> Iterator[tuple[Stack, Receiver]]:
    with local_stack(free_port(), deployed, *WITH_ARCHIVE) as (stack, receiver):
        secrets = stack.emulator.client("secretsmanager")
        secrets.create_secret(Name="flagcast/flagcast/template-mode-token", SecretString=TOKEN)
        yield stack, receiver


@pytest.fixture
def stack(running: tuple[Stack, Receiver]) -> Stack:
    return running[0]


@pytest.fixture
def shell(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run commands as in a shell in which AWS is the emulator, without a copy of the log or a replay to resume."""
    for name, value in stack.emulator.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    start_fresh()
    yield
    start_fresh()
    # What is still on its way to other destinations would be counted by the next test.
    wait_until_empty(stack)


@pytest.fixture
def receiver(running: tuple[Stack, Receiver]) -> Receiver:
    return running[1]
