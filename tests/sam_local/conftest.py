"""The local stack as `make dev CONTAINERS=1` runs it, and `sam local` beside it, told nothing but samconfig.toml."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from flagcast_cli.checkout import LOCAL_STACK
from flagcast_cli.local.containers import bridge
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.sam_local import prepared
from flagcast_cli.local.stack import Stack, local_stack
from tests.sam_local.running import Api, Functions, Tasks, sam_local, sam_local_serving
from tests.support.ports import free_port

CONFIGURATION = Path(__file__).parent / "flagcast.yaml"
ELSEWHERE = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-shell",
    "AWS_SESSION_TOKEN": "canary-of-the-shell",
    "AWS_REGION": "eu-west-3",
    "AWS_DEFAULT_REGION": "eu-west-3",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
"""What a user's shell may say of AWS: the containers must go by none of it."""

Invoke = Callable[[str, str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[Stack, Receiver]]:
    network = bridge()
    with ExitStack() as opened:
        stack, receiver = opened.enter_context(local_stack(free_port(), CONFIGURATION))
        opened.enter_context(prepared(stack, receiver, CONFIGURATION, network))
        # The tasks are for the containers: nothing else is to take them off the queue.
        functions = stack.emulator.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield stack, receiver


@pytest.fixture
def receiver(running: tuple[Stack, Receiver]) -> Receiver:
    return running[1]


@pytest.fixture
def tasks(running: tuple[Stack, Receiver]) -> Iterator[Tasks]:
    made = Tasks(running[0])
    yield made
    made.purge()


@pytest.fixture(scope="session")
def environment(running: tuple[Stack, Receiver]) -> dict[str, str]:
    """The environment of a user's shell, with the project's tools first on its path."""
    return {**os.environ, "PATH": running[0].emulator.environment()["PATH"], "SAM_CLI_TELEMETRY": "0", **ELSEWHERE}


@pytest.fixture
def invoke(environment: dict[str, str]) -> Invoke:
    return lambda function, event: sam_local(environment, "invoke", function, "-e", event)


@pytest.fixture(scope="session")
def api(environment: dict[str, str]) -> Iterator[Api]:
    with sam_local_serving(environment, free_port(), LOCAL_STACK / "sam-local-api.log", "start-api") as port:
        yield Api(port)


@pytest.fixture(scope="session")
def functions(environment: dict[str, str]) -> Iterator[Functions]:
    with sam_local_serving(environment, free_port(), LOCAL_STACK / "sam-local-lambda.log", "start-lambda") as port:
        yield Functions(port)
