"""`sam local start-api`: requests as Flipt sent them, in one container, and on to their destinations in another."""

import json
from typing import Any

import pytest

from flagcast.events.flipt_signature import FLIPT_HEADER, flipt_signature
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer
from tests.sam_local.running import LARGEST_BODY, Api, Functions, Tasks
from tests.support.captures import SECRET, captured

pytestmark = pytest.mark.containers


def post(api: Api, body: bytes, secret: str = SECRET) -> tuple[int, dict[str, object]]:
    headers = [("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    answer = api.request("POST", "/webhooks/flipt", body, [*headers, (FLIPT_HEADER, flipt_signature(body, secret))])
    return answer.status, answer.said


def is_updated_flag(event: dict[str, Any]) -> bool:
    return (event["type"], event["action"]) == ("flag", "updated")


def large_event() -> bytes:
    head = b'{"type":"flag","action":"created","timestamp":"2026-01-02T03:04:05Z","payload":{"key":"large","name":"'
    return head + b"x" * (LARGEST_BODY - len(head) - 3) + b'"}}'


@pytest.mark.parametrize("file", ["flipt-1.28.0/changes", "flipt-1.61.0/jwt-and-denied"])
def test_every_request_that_flipt_sent_arrives_byte_for_byte(
    api: Api, functions: Functions, tasks: Tasks, receiver: Receiver, file: str
) -> None:
    before = {path: len(receiver.requests(path)) for path in ("/archive", "/flags", "/flags-by-go")}
    sent = captured(file)
    deliveries = 0
    for each in sent:
        answer = api.request("POST", "/webhooks/flipt", each.body, each.headers)
        assert answer.status == 200, (each.seq, answer)
        deliveries += answer.said["deliveries"]
    assert tasks.waiting() == deliveries > len(sent)
    assert functions.deliver(tasks) == deliveries
    assert tasks.waiting() == 0
    arrived = {path: [each.body for each in receiver.requests(path)[count:]] for path, count in before.items()}
    assert sorted(arrived["/archive"]) == sorted(each.body for each in sent)
    updated = [event for event in map(json.loads, arrived["/archive"]) if is_updated_flag(event)]
    assert {each["type"] for each in map(json.loads, arrived["/flags-by-go"])} == {"flag"}
    assert len(arrived["/flags-by-go"]) == len(arrived["/flags"]) == len(updated) > 0
    assert all("flag" in json.loads(each)["title"] for each in arrived["/flags"])


@pytest.mark.parametrize("size", ["1 MB, as captured", "as large as Lambda takes"])
def test_a_body_too_large_for_a_message_arrives_byte_for_byte(
    api: Api, functions: Functions, tasks: Tasks, receiver: Receiver, size: str
) -> None:
    body = captured("flipt-1.61.0/strings")[-1].body if size.startswith("1 MB") else large_event()
    assert len(body) > 1_000_000
    status, said = post(api, body)
    assert status == 200, said
    assert functions.deliver(tasks) == said["deliveries"]
    assert receiver.requests("/archive")[-1].body == body


def test_what_a_destination_refuses_is_a_dead_letter_with_its_reason(
    api: Api, functions: Functions, tasks: Tasks, receiver: Receiver
) -> None:
    receiver.script("/old-tool", [Answer(422, body=b"segments are not supported")])
    body = b'{"type":"segment","action":"created","timestamp":"2026-01-02T03:04:05Z","payload":{"key":"refused"}}'
    status, said = post(api, body)
    assert (status, said["deliveries"]) == (200, 2)
    functions.deliver(tasks)
    (letter,) = tasks.dead_letters()
    assert (letter["reason"], letter["status"], letter["detail"]) == ("rejected", "422", "segments are not supported")
    assert letter["event_id"] == said["event_id"]


def test_a_request_that_is_not_genuine_is_refused_and_leaves_nothing_on_the_queue(api: Api, tasks: Tasks) -> None:
    body = b'{"type":"flag","action":"updated","payload":{"key":"forged-canary"}}'
    for secret in ("not the secret", SECRET[:-1]):
        status, said = post(api, body, secret)
        assert (status, said["error"]) == (401, "unauthorized")
        assert "forged-canary" not in str(said)
    unsigned = api.request("POST", "/webhooks/flipt", body)
    assert (unsigned.status, unsigned.said["error"]) == (401, "unauthorized")
    assert tasks.waiting() == 0


def test_other_sources_and_methods_are_told_so(api: Api, tasks: Tasks) -> None:
    unknown = api.request("POST", "/webhooks/nobody", b"{}")
    assert (unknown.status, unknown.said["error"]) == (404, "unknown_source")
    got = api.request("GET", "/webhooks/flipt")
    assert (got.status, got.said["error"], got.headers["allow"]) == (405, "method_not_allowed", "POST")
    assert tasks.waiting() == 0


def test_health_says_that_the_configuration_can_be_read(api: Api) -> None:
    healthy = api.request("GET", "/health")
    assert (healthy.status, healthy.said) == (200, {"status": "ok"})
