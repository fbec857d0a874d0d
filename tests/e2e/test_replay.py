"""`flagcast replay` against the deployed template: a destination that is added later receives earlier events."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flagcast.archive.record import encode, record_of
from flagcast.primitives.duration import DAY
from flagcast.primitives.timestamp import rfc3339
from flagcast.tasks.task import event_id, task
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.stack import Stack, restart_functions
from flagcast_cli.main import app
from tests.e2e.conftest import Asked
from tests.e2e.events import event_named, post_signed, wait_for, wait_until_empty

CapSys = pytest.CaptureFixture[str]
MARK = "replayed-flag"
pytestmark = pytest.mark.usefixtures("shell")


@pytest.fixture
def added(stack: Stack, deployed: Path) -> Iterator[str]:
    """Deploy one more destination, and take it away again; returns its name."""
    before = deployed.read_text()
    made = 'added-later: {url: "${ssm:receiver}/added-later", events: ["flag:*"]}'
    deployed.write_text(f"{before}  {made}\n")
    restart_functions(stack)
    yield "added-later"
    wait_until_empty(stack)
    deployed.write_text(before)
    restart_functions(stack)


def numbered(number: int) -> bytes:
    return event_named(MARK).replace(b"03:04:05", b"03:04:%02d" % number)


@pytest.fixture
def accepted(stack: Stack) -> list[str]:
    """Have two events of yesterday in the archive, and accept three of today; returns their ids, in order."""
    s3, bucket = stack.emulator.client("s3"), stack.outputs["ArchiveBucketName"]
    for number in range(2):
        raw = numbered(number)
        received_at = rfc3339(time.time() - DAY + number)
        record = record_of(task(event_id("flipt", raw), "flipt", "flagcast-archive", received_at, raw), raw)
        s3.put_object(Bucket=bucket, Key=str(record.key), Body=encode(record))
    today = [post_signed(stack, numbered(number))["event_id"] for number in range(2, 5)]
    wait_until_empty(stack)
    return [*(event_id("flipt", numbered(number)) for number in range(2)), *today]


def test_a_destination_added_later_receives_yesterdays_events_in_order_and_no_other_does(
    stack: Stack, receiver: Receiver, accepted: list[str], added: str, asked: Asked, capsys: CapSys
) -> None:
    live = len(wait_for(receiver, "/everything", MARK, 3))
    code = app(["replay", added, "--since", "2d", "--flag", MARK, "--json", "--yes"], result_action="return_value")
    said = json.loads(capsys.readouterr().out)
    assert (code, said["events"], said["sent"], said["later"]) == (0, 5, 5, [])
    arrived = wait_for(receiver, f"/{added}", MARK, 5)
    assert [each.body for each in arrived] == [numbered(number) for number in range(5)]
    headers = [{name.lower(): value for name, value in each.headers} for each in arrived]
    assert [each["webhook-id"] for each in headers] == accepted
    assert {each["flagcast-replay"] for each in headers} == {said["replay"]}
    wait_until_empty(stack)
    assert len(receiver.requests(f"/{added}")) == 5
    assert len(wait_for(receiver, "/everything", MARK, live)) == live
    told = asked("deliveries", "--destination", added, until=lambda answer: len(answer["deliveries"]) == 5)
    assert {each["replay"] for each in told["deliveries"]} == {said["replay"]}
