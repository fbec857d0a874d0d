"""A stack's state table over moto, a Flipt on loopback, and the commands between them."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flagcast.edges.aws import client as aws_client
from flagcast.edges.aws.flipt_state_table import item_of
from flagcast.flipt_state.row import Row
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
