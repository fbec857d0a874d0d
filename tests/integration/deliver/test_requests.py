import json

import pytest

from flagcast import __version__
from tests.integration.deliver.harness import Stack, bodies
from tests.support.captures import captured

TEMPLATE = '{"text": {{ (event.actor ~ " " ~ event.verb_phrase ~ " " ~ event.type) | tojson }}}'


def expected_text(raw: bytes) -> str:
    event = json.loads(raw)
    assert event["metadata"]["actor"]["authentication"] == "none"
    return f"someone {event['action']} {event['type']}"


@pytest.mark.parametrize("file", ["flipt-1.61.0/strings", "flipt-1.28.0/changes", "flipt-1.61.0/jwt-and-denied"])
def test_without_a_body_the_original_bytes_are_passed_through(stack: Stack, file: str) -> None:
    stack.configure({"mirror": {}})
    sent = [each.body for each in captured(file) if len(each.body) < 500_000]
    for raw in sent:
        stack.put("mirror", raw, group="one")
    while stack.deliver() is not None:
        pass
    assert [each.body for each in stack.receiver.requests("/mirror")] == sent
    assert stack.waiting() == {}
    assert stack.dead_letters() == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_request_says_what_it_carries_and_who_sends_it(stack: Stack, method: str) -> None:
    stack.configure({"mirror": {"method": method, "content_type": "application/vnd.audit+json"}})
    stack.put("mirror")
    stack.deliver()
    (request,) = stack.receiver.requests()
    headers = {name.lower(): value for name, value in request.headers}
    assert request.method == method
    assert headers["content-type"] == "application/vnd.audit+json"
    assert headers["user-agent"] == f"Flagcast/{__version__}"
    assert headers["content-length"] == str(len(request.body))


def test_a_body_is_rendered_of_the_event(stack: Stack) -> None:
    stack.configure({"chat": {"body": TEMPLATE}})
    raw = bodies()[3]
    stack.put("chat", raw)
    stack.deliver()
    (request,) = stack.receiver.requests("/chat")
    assert json.loads(request.body) == {"text": expected_text(raw)}


def test_a_template_file_is_rendered_with_the_files_that_it_includes(stack: Stack) -> None:
    stack.configure({"chat": {"template": "chat.j2"}}, {"chat.j2": '{% include "line.j2" %}', "line.j2": TEMPLATE})
    raw = bodies()[4]
    stack.put("chat", raw)
    stack.deliver()
    (request,) = stack.receiver.requests("/chat")
    assert json.loads(request.body) == {"text": expected_text(raw)}


def test_headers_are_made_of_secrets_and_the_event(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAGCAST_VAR_KEY", "from the environment")
    stack.secrets.values = {"token": "from the store", "json": '{"member": "picked"}'}
    stack.configure(
        {
            "mirror": {
                "path": "/${secret:json#member}",
                "headers": {
                    "Authorization": "Bearer ${secret:token}",
                    "X-Key": "${env:FLAGCAST_VAR_KEY}",
                    "X-Type": "{{ event.type }} ü",
                },
            }
        }
    )
    raw = bodies()[0]
    stack.put("mirror", raw)
    stack.deliver()
    (request,) = stack.receiver.requests("/picked")
    headers = dict(request.headers)
    assert headers["Authorization"] == "Bearer from the store"
    assert headers["X-Key"] == "from the environment"
    assert headers["X-Type"].encode("latin-1").decode() == f"{json.loads(raw)['type']} ü"


def test_secrets_are_fetched_once_for_many_tasks(stack: Stack) -> None:
    stack.secrets.values = {"token": "kept"}
    stack.configure({"mirror": {"headers": {"Authorization": "${secret:token}"}}})
    for _ in range(12):
        stack.put("mirror")
    stack.deliver()
    stack.deliver()
    assert len(stack.receiver.requests()) == 12
    assert stack.secrets.calls == 1


def test_an_event_that_is_no_longer_wanted_is_done_without_a_request(stack: Stack) -> None:
    stack.configure({"mirror": {"events": ["token:*"]}})
    stack.put("mirror", bodies()[0])
    assert stack.deliver() == []
    assert stack.receiver.requests() == []
    assert stack.waiting() == {}
    assert stack.dead_letters() == []


def test_an_event_that_cannot_be_rendered_is_given_up_without_a_request(stack: Stack) -> None:
    stack.configure({"chat": {"body": '{"text": "{{ event.payload.there_is_none.below }}"}'}})
    stack.put("chat")
    assert stack.deliver() == []
    assert stack.receiver.requests() == []
    assert stack.attributes()["reason"] == "render_failed"
    assert stack.attributes()["detail"].startswith("body, line 1: ")
