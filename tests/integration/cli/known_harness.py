"""A stack's state table over moto, a Flipt on loopback, and the commands between them."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flagcast.edges.aws import client as aws_client
from flagcast.edges.aws.flipt_state_table import item_of
from flagcast.flipt_state.row import Row
from flagcast.flipt_state.thing_keys import Thing, row_key
from flagcast_cli.console import err, out
from flagcast_cli.flipt_state import command, stored_rows
from flagcast_cli.flipt_state.stored_rows import Table
from flagcast_cli.main import app
from flagcast_cli.stack.account import Account
from tests.support import state_table
from tests.support.captures import states
from tests.support.fifo import SimulatedClock
from tests.support.flipt_server import FliptServer, serving

FULL = 28
"""The recorded state with most in it."""
CapSys = pytest.CaptureFixture[str]

FLAG = row_key("flipt", Thing("flag", ("production", "new-checkout")))
OTHER_FLAG = row_key("flipt", Thing("flag", ("production", "dark-mode")))
SEGMENT = row_key("flipt", Thing("segment", ("production", "beta-users")))
RULES = row_key("flipt", Thing("rule-order", ("production", "new-checkout")))
DISTRIBUTION = row_key("flipt", Thing("distribution", ("f0843245-33e2-47bf-99e8-6746ba4757e6",)))
THINGS = 17
"""In the state FULL."""
CONFIGURATION = "sources: {flipt: {auth: none}, other: {auth: none}}\ndestinations: {}\n"


class KnownStack:
    """The stack `flagcast`, its Flipt, and its operator."""

    def __init__(self, folder: Path, flipt: FliptServer, clock: SimulatedClock) -> None:
        self.flipt = flipt
        self.clock = clock
        self.dynamodb = state_table.create(aws_client.client("dynamodb"))
        self.config = folder / "flagcast.yaml"
        self.config.write_text(CONFIGURATION)
        self.outputs = {"StateTableName": "state"}
        self.parameters = {"TrackChanges": "on"}

    def run(self, *words: str, source: str = "flipt") -> int:
        """Run a command and return its exit code."""
        more = [] if words[0] == "forget" else ["--flipt-url", self.flipt.url, "--config", str(self.config)]
        code = app([*words, "--source", source, *more], result_action="return_value")
        assert isinstance(code, int)
        return code

    def pass_time(self, seconds: float) -> None:
        """Let time pass, in Flipt too."""
        self.clock.advance(seconds)
        self.flipt.now = self.clock.now()

    def rows(self, source: str = "flipt") -> dict[str, Row | None]:
        """Return what is known, by key."""
        found = Table(self.dynamodb, "state", Account(), self.clock.now, self.clock.advance).of(source)
        return {key: each.row for key, each in found.items()}

    def put(self, key: str, row: Row, version: int = 7) -> None:
        """Have a row as an event has written it."""
        self.dynamodb.put_item(TableName="state", Item=item_of(key, row, version, self.clock.now()))

    def describe_stacks(self, **arguments: str) -> dict[str, Any]:
        if arguments["StackName"] != "flagcast":
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        return {"Stacks": [{"Outputs": outputs, "Parameters": parameters}]}


@pytest.fixture
def known(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KnownStack]:
    clock = SimulatedClock(1_800_000_000.0)
    with serving(FliptServer(states()[FULL].state, clock.now())) as flipt:
        stack = KnownStack(tmp_path, flipt, clock)
        clients = {
            "cloudformation": SimpleNamespace(describe_stacks=stack.describe_stacks),
            "dynamodb": aws_client.client("dynamodb"),
        }
        monkeypatch.setattr(Account, "session", lambda _: SimpleNamespace(client=clients.__getitem__))
        for module in (command, stored_rows):
            monkeypatch.setattr(module, "time", SimpleNamespace(time=clock.now, sleep=stack.pass_time))
        monkeypatch.delenv("FLIPT_TOKEN", raising=False)
        yield stack


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    for console in (out, err):
        monkeypatch.setattr(console, "_width", 250)


def in_flipt(known: KnownStack) -> dict[str, Any]:
    """Return what Flipt has in production, to be changed."""
    known.flipt.state = copy.deepcopy(known.flipt.state)
    within: dict[str, Any] = known.flipt.state["by_namespace"]["production"]
    return within


def differing(known: KnownStack, capsys: CapSys, *words: str, code: int = 1) -> list[tuple[str, str, str]]:
    """Return what verify finds at once, as difference, type and name."""
    capsys.readouterr()
    assert known.run("verify", "--json", "--wait", "0", *words) == code
    told = json.loads(capsys.readouterr().out)
    return [(each["difference"], each["type"], each["name"]) for each in told["differences"]]


def variant_key(variant: dict[str, Any]) -> str:
    return row_key("flipt", Thing("variant", (variant["id"],)))


def row(known: KnownStack, key: str) -> Row:
    found = known.rows()[key]
    assert found is not None
    return found
