"""`flagcast learn`, `verify` and `forget` beside the deployed functions: what one writes the other reads."""

import copy
import json
import time

import pytest

from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.stack import Stack
from flagcast_cli.main import app
from tests.e2e.conftest import CONFIGURATION
from tests.e2e.events import post_signed
from tests.support.captures import states
from tests.support.flipt_server import FliptServer, serving
from tests.support.time_limits import PATIENCE

CapSys = pytest.CaptureFixture[str]
FULL = 28
"""The recorded state with most in it."""
pytestmark = pytest.mark.usefixtures("shell")


def differences(flipt: FliptServer, capsys: CapSys) -> list[tuple[str, str, str]]:
    capsys.readouterr()
    words = ["verify", "--source", "flipt", "--flipt-url", flipt.url, "--config", str(CONFIGURATION), "--wait", "0"]
    app([*words, "--json"], result_action="return_value")
    told = json.loads(capsys.readouterr().out)["differences"]
    return [(each["difference"], each["type"], each["name"]) for each in told]


def test_what_is_learned_is_what_events_change_and_what_verify_compares(
    stack: Stack, receiver: Receiver, capsys: CapSys
) -> None:
    state = copy.deepcopy(states()[FULL].state)
    with serving(FliptServer(state, time.time() - 60)) as flipt:
        words = ["learn", "--source", "flipt", "--flipt-url", flipt.url, "--config", str(CONFIGURATION)]
        assert app(words, result_action="return_value") == 0
        flipt.now = time.time()
        assert differences(flipt, capsys) == []
        flag = state["by_namespace"]["production"]["flags"][0]
        flag["enabled"] = False
        assert differences(flipt, capsys) == [("changed", "flag", "new-checkout")]
        event = json.loads(states()[12].events[0])
        event["payload"] |= {"enabled": False}
        deadline = time.monotonic() + PATIENCE
        # On a busy machine ingest runs out of its second for the table: the row is unknown until the next event.
        while differences(flipt, capsys):
            assert time.monotonic() < deadline
            event["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            post_signed(stack, json.dumps(event).encode())
            flipt.now = time.time() + 10
        forget = ["forget", "--source", "flipt", "--namespace", "production", "--yes"]
        assert app(forget, result_action="return_value") == 0
        assert ("missing", "flag", "new-checkout") in differences(flipt, capsys)
