"""What a snapshot holds, and what differs between the functions that begin from it."""

import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import snapshot_restore_py

from flagcast.edges import snapshot
from flagcast.errors import ConfigurationUnreadable
from tests.support.template import ROOT


@pytest.fixture(autouse=True)
def hooks() -> Iterator[None]:
    """Keep the hooks of one test from another's."""
    kept = [each[:] for each in (snapshot_restore_py.get_before_snapshot(), snapshot_restore_py.get_after_restore())]
    for each in (snapshot_restore_py.get_before_snapshot(), snapshot_restore_py.get_after_restore()):
        each.clear()
    yield
    snapshot_restore_py.get_before_snapshot()[:], snapshot_restore_py.get_after_restore()[:] = kept


def run(hooks: list[tuple[Any, ...]]) -> None:
    """Call hooks as Lambda's runtime does."""
    for hook, arguments, named in hooks:
        hook(*arguments, **named)


def test_what_is_made_is_made_before_the_snapshot_and_not_while_importing() -> None:
    made: list[str] = []
    snapshot.prepare(lambda: made.append("first"), lambda: made.append("second"))
    assert made == []
    run(snapshot_restore_py.get_before_snapshot())
    assert made == ["first", "second"]


def test_two_functions_of_one_snapshot_do_not_wait_alike() -> None:
    snapshot.prepare()
    run(snapshot_restore_py.get_before_snapshot())
    state = random.getstate()
    waits = []
    for _ in range(2):
        random.setstate(state)
        run(snapshot_restore_py.get_after_restore())
        waits.append(random.random())
    assert waits[0] != waits[1]


def test_a_configuration_that_cannot_be_read_does_not_keep_a_snapshot_from_being_taken() -> None:
    def unreadable() -> None:
        raise ConfigurationUnreadable("no such file")

    snapshot.prepare(unreadable)
    run(snapshot_restore_py.get_before_snapshot())


@pytest.mark.parametrize("function", ["ingest", "deliver"])
def test_a_snapshot_holds_no_connection_and_no_secret(function: str) -> None:
    """Run in a process of its own, in which no socket can be opened and credentials are those of the environment."""
    code = f"""
import os, socket, sys
sys.path[:0] = [{str(ROOT / "functions" / function)!r}, {str(ROOT / "layers/flagcast/python")!r}]
os.environ.update(
    AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="eu-central-1",
    FLAGCAST_CONFIG={str(ROOT / "layers/config/flagcast.yaml")!r}, FLAGCAST_QUEUE_URL="https://q",
    FLAGCAST_DEAD_LETTER_QUEUE_URL="https://d", FLAGCAST_SECRET_PREFIX="s/", FLAGCAST_PARAMETER_PREFIX="/p/",
    FLAGCAST_STATE_TABLE="t", FLAGCAST_BODIES_BUCKET="b", FLAGCAST_CIRCUIT_BREAKER="on",
)
def connect(*_):
    raise AssertionError("connected before the snapshot")
socket.socket.connect = connect
import snapshot_restore_py
import {function}
from flagcast.edges import wiring
for hook, arguments, named in snapshot_restore_py.get_before_snapshot():
    hook(*arguments, **named)
assert wiring.configuration.cache_info().currsize == 1
assert wiring.queue.cache_info().currsize == 1
assert wiring.secrets()._fetched == {{}}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_outside_of_lambda_there_is_nothing_to_prepare_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
    snapshot.prepare(lambda: pytest.fail("nobody takes a snapshot here"))
