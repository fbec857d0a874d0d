"""events/ is what the captures say, and what the functions take."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from flagcast.events.event import Event, parse
from flagcast.events.event_filter import NOUNS, VERBS
from flagcast.ingest.credential_check import is_signed, presented_signature
from flagcast.ingest.http_api import read_request
from flagcast.tasks.received_message import read_record
from flagcast.tasks.task import Task
from tests.support.captures import SECRET, every_capture

EVENTS = Path(__file__).parents[3] / "events"
SAMPLES = sorted((EVENTS / "flipt").glob("*.json"))

# Flipt has no updates of tokens, and its orders and denials are updates and the like of something else.
NEVER_SENT = {("token", "updated")}


def envelope(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EVENTS / name).read_text(encoding="utf-8"))
    return read


def test_every_sample_is_a_body_that_flipt_sent_byte_for_byte() -> None:
    sent = {each.body for each in every_capture()}
    assert len(SAMPLES) > 50
    assert [path.name for path in SAMPLES if path.read_bytes() not in sent] == []


@pytest.mark.parametrize(("kind", "action"), sorted(set(product(NOUNS, VERBS)) - NEVER_SENT))
def test_there_is_a_sample_of_every_type_and_action(kind: str, action: str) -> None:
    event = parse((EVENTS / "flipt" / f"{kind}-{action}.json").read_bytes())
    assert isinstance(event, Event)
    assert (event.type, event.action, event.is_denied, event.is_order) == (kind, action, False, False)


def test_the_envelope_for_ingest_is_a_signed_request() -> None:
    request = read_request(envelope("ingest.json"))
    signature = presented_signature(request.headers)
    assert signature is not None
    assert (request.method, request.source) == ("POST", "flipt")
    assert is_signed(request.body, signature, [SECRET])


def test_the_envelope_for_deliver_holds_two_tasks_of_one_group_in_order() -> None:
    first, second = [read_record(record) for record in envelope("deliver.json")["Records"]]
    assert first.group == second.group
    assert int(first.sequence) < int(second.sequence)
    for message in (first, second):
        assert isinstance(message.task, Task)
        assert message.task.raw in {each.body for each in every_capture()}
