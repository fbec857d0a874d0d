"""`sam local invoke` with the two sample events."""

import json

import pytest

from flagcast.events.event import Event, parse
from flagcast.tasks.received_message import read_record
from flagcast.tasks.task import Task
from flagcast_cli.checkout import ROOT
from flagcast_cli.local.receiver import Receiver
from tests.sam_local.conftest import Invoke
from tests.sam_local.running import Tasks

pytestmark = pytest.mark.containers


def test_the_sample_request_is_taken_in_and_its_tasks_are_on_the_queue(invoke: Invoke, tasks: Tasks) -> None:
    ran = invoke("IngestFunction", "events/ingest.json")
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["statusCode"] == 200, ran.stderr
    said = json.loads(answer["body"])
    assert said["deliveries"] == 3
    sent = json.loads((ROOT / "events" / "ingest.json").read_text(encoding="utf-8"))["body"].encode()
    stored = [read_record(each).task for each in tasks.receive()]
    assert all(isinstance(each, Task) and each.raw == sent for each in stored)
    assert {each.id for each in stored if isinstance(each, Task)} == {
        f"{said['event_id']}:archive",
        f"{said['event_id']}:flags",
        f"{said['event_id']}:flags-by-go",
    }
    assert '"event":"event.accepted"' in ran.stderr
    assert "canary-of-the-shell" not in ran.stdout + ran.stderr


def test_the_sample_tasks_arrive_byte_for_byte_and_in_their_order(invoke: Invoke, receiver: Receiver) -> None:
    before = len(receiver.requests("/archive"))
    ran = invoke("DeliverFunction", "events/deliver.json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"batchItemFailures": []}, ran.stderr
    records = json.loads((ROOT / "events" / "deliver.json").read_text(encoding="utf-8"))["Records"]
    arrived = [each.body for each in receiver.requests("/archive")[before:]]
    assert arrived == [json.loads(each["body"])["body"].encode() for each in records]
    assert all(isinstance(parse(each), Event) for each in arrived)
