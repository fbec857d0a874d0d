"""The real template on MiniStack, deployed once for all end-to-end tests."""

import json
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flagcast_cli.console import CommandError
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.stack import WITH_ARCHIVE, Stack, local_stack
from flagcast_cli.main import app
from flagcast_cli.stack import queues
from tests.e2e.events import event_named, post_signed, wait_until_empty
from tests.integration.conftest import start_fresh
from tests.support.captures import TOKEN
from tests.support.ports import free_port
from tests.support.time_limits import PATIENCE

Asked = Callable[..., Any]
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

    def wait(seconds: float) -> None:
        invoke(stack)
        time.sleep(seconds)  # As the command does between two looks, up to its deadline.

    monkeypatch.setattr(queues, "time", SimpleNamespace(time=time.time, sleep=wait))
    start_fresh()
    yield
    start_fresh()
    # What is still on its way to other destinations would be counted by the next test.
    wait_until_empty(stack)


def invoke(stack: Stack) -> None:
    """Have both functions invoked: on a busy machine MiniStack has a function's last lines with its next invocation.

    After an answer it waits 50 ms for the first line, and 5 ms for each more: ministack/core/lambda_runtime.py,
    `_drain_stderr_bounded`.
    """
    post_signed(stack, event_named(f"invoked-{time.monotonic_ns()}", "namespace"))


@pytest.fixture
def asked(stack: Stack, shell: None, capsys: pytest.CaptureFixture[str]) -> Asked:
    """Ask a command with --json until its answer is as it will be; returns it.

    Lines come into the log a moment after the work is done.
    """

    def ask(*words: str, until: Callable[[Any], bool], codes: Collection[int] = (0,)) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            capsys.readouterr()
            try:
                code = app([*words, "--json"], result_action="return_value")
            except CommandError as error:
                code = error  # What is asked for is not in the log yet.
            said = capsys.readouterr()
            if code in codes and until(answer := json.loads(said.out)):
                return answer
            assert time.monotonic() < deadline, (code, said)
            invoke(stack)

    return ask


@pytest.fixture
def receiver(running: tuple[Stack, Receiver]) -> Receiver:
    return running[1]
