import base64
import json
import time

import pytest
from standardwebhooks import Webhook

from flagcast.delivery.attempt import LONGEST_EXCERPT
from flagcast.ingest.credential_check import is_signed, presented_signature
from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import Stack
from tests.unit.builders import body


def kept(stack: Stack) -> list[dict[str, str]]:
    """The attributes of each dead letter that tell why it is one."""
    letters = [{name: each["StringValue"] for name, each in one.attributes.items()} for one in stack.dead_letters()]
    return [{name: each[name] for name in ("reason", "detail", "status") if name in each} for each in letters]


def outcomes(stack: Stack, capfd: pytest.CaptureFixture[str]) -> list[str]:
    return [each["outcome"] for each in stack.lines(capfd) if each["event"] == "delivery.attempted"]


@pytest.mark.parametrize(("namespace", "requests"), [("production", 1), ("staging", 0)])
def test_what_a_destination_does_not_want_is_done_without_a_request(
    stack: Stack, capfd: pytest.CaptureFixture[str], namespace: str, requests: int
) -> None:
    stack.configure({"mirror": {"when": 'event.namespace == "production"'}})
    stack.put("mirror", body(payload={"key": "k", "namespace_key": namespace}))
    assert stack.deliver() == []
    assert (len(stack.receiver.requests()), stack.waiting(), stack.dead_letters()) == (requests, {}, [])
    assert outcomes(stack, capfd) == ["delivered" if requests else "filtered"]


def test_a_filter_that_cannot_be_answered_is_a_dead_letter_and_no_request(stack: Stack) -> None:
    stack.configure({"mirror": {"when": "event.payload.canary_field == 1"}})
    stack.put("mirror", body(payload={"key": "canary value"}))
    assert stack.deliver() == []
    assert stack.receiver.requests() == []
    detail = "when: 'dict object' has no attribute 'canary_field'"
    assert kept(stack) == [{"reason": "filter_failed", "detail": detail}]


def test_an_answer_that_accept_does_not_hold_for_is_a_dead_letter_with_its_first_bytes(stack: Stack) -> None:
    stack.configure({"chat": {"accept": "response.status == 200 and response.json.ok"}})
    said = json.dumps({"ok": False, "error": "channel_not_found", "more": "x" * 1000})
    stack.receiver.script("/chat", [Answer(200, body=b'{"ok": true}'), Answer(200, body=said.encode())])
    for _ in range(2):
        stack.put("chat")
    assert stack.deliver() == []
    assert len(stack.receiver.requests()) == 2
    assert kept(stack) == [{"reason": "rejected", "detail": said[:LONGEST_EXCERPT], "status": "200"}]


def test_an_answer_that_is_not_what_accept_reads_is_a_dead_letter_that_says_so(stack: Stack) -> None:
    stack.configure({"chat": {"accept": "response.json.ok"}})
    stack.receiver.script("/chat", [Answer(200, body=b"<html>gateway</html>")])
    stack.put("chat")
    assert stack.deliver() == []
    detail = "accept: 'None' has no attribute 'ok'; <html>gateway</html>"
    assert kept(stack) == [{"reason": "rejected", "detail": detail, "status": "200"}]


def test_an_outage_is_no_question_for_accept(stack: Stack) -> None:
    stack.configure({"chat": {"accept": "response.json.ok"}})
    stack.receiver.script("/chat", [Answer(503, body=b"later")])
    task = stack.put("chat")
    assert stack.deliver() == [task.id]
    assert stack.dead_letters() == []


def test_a_receiver_can_verify_a_standard_webhooks_signature(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "whsec_" + base64.b64encode(b"canary-signing-key-of-24").decode()
    stack.secrets.values = {"signing": secret}
    stack.clock.advance(time.time() - stack.clock.now())
    stack.configure({"hook": {"sign": {"scheme": "standard-webhooks", "secret": "${secret:signing}"}}})
    stack.put("hook")
    assert stack.deliver() == []
    (request,) = stack.receiver.requests()
    headers = {name.lower(): value for name, value in request.headers}
    Webhook(secret).verify(request.body.decode(), headers)


def test_a_receiver_can_verify_flipts_own_signature(stack: Stack) -> None:
    stack.secrets.values = {"signing": "canary-secret"}
    stack.configure({"hook": {"sign": {"scheme": "flipt", "secret": "${secret:signing}"}}})
    stack.put("hook")
    assert stack.deliver() == []
    (request,) = stack.receiver.requests()
    signature = presented_signature({name.lower(): value for name, value in request.headers})
    assert signature is not None
    assert is_signed(request.body, signature, ["canary-secret"])


def test_a_secret_that_cannot_sign_puts_the_task_off(stack: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    stack.secrets.values = {"signing": "canary!"}
    stack.configure({"hook": {"sign": {"scheme": "standard-webhooks", "secret": "${secret:signing}"}}})
    task = stack.put("hook")
    assert stack.deliver() == [task.id]
    assert (stack.receiver.requests(), stack.dead_letters()) == ([], [])
    assert "canary!" not in capfd.readouterr().out


def test_not_now_is_retried_and_rests_the_destination_for_as_long_as_it_asks(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    # GitHub's 403 with a Retry-After was a dead letter at once, while the task behind it waited for that same answer;
    # Teams' "HTTP error 429" in a 200 was final.
    stack.configure({"chat": {"retry": {"when": '"error 429" in response.text'}}})
    busy = [Answer(200, body=b"HTTP error 429"), Answer(403, {"Retry-After": "90"}), Answer(200)]
    stack.receiver.script("/chat", busy)
    task = stack.put("chat")
    for least, most in ((1, 2), (90, 90)):
        stack.deliver()
        assert least <= stack.delay(task) <= most
        stack.wait(most + 1)
    assert stack.deliver() == []
    assert (stack.waiting(), stack.dead_letters()) == ({}, [])
    assert outcomes(stack, capfd) == ["retrying", "retrying", "delivered"]


def test_a_dead_letter_of_a_redirect_tells_where_it_points(stack: Stack) -> None:
    stack.configure({"sheet": {}})
    stack.receiver.script("/sheet", [Answer(302, {"Location": "https://script.example.com/echo?key=canary"}, b"moved")])
    stack.put("sheet")
    assert stack.deliver() == []
    detail = "Location: https://script.example.com/echo?key=*** moved"
    assert kept(stack) == [{"reason": "rejected", "detail": detail, "status": "302"}]


def test_json_behind_a_byte_order_mark_is_what_accept_sees(stack: Stack) -> None:
    stack.configure({"chat": {"accept": "response.json.ok"}})
    stack.receiver.script("/chat", [Answer(200, body=b'\xef\xbb\xbf{"ok": true}')])
    stack.put("chat")
    assert stack.deliver() == []
    assert kept(stack) == []
