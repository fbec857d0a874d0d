"""What `flagcast doctor` finds out of the Flipt that sends, and how it asks over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flagcast.events.flipt_signature import flipt_signature
from flagcast_cli.doctor import http_client
from flagcast_cli.doctor.facts import Answer, Facts, NoAnswer
from flagcast_cli.doctor.finding import Unknown
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer as Answering
from tests.integration.cli.doctor_harness import Deployed, clients, receiver, seen, stack

__all__ = ["clients", "receiver", "seen", "stack"]


def test_redirects_are_not_followed_and_no_answer_is_one_too(receiver: Receiver) -> None:
    receiver.script("/moved?token=canary", [Answering(301, {"Location": "https://elsewhere.example/x?token=canary"})])
    assert http_client.get(f"{receiver.url}/moved?token=canary") == Answer(
        f"{receiver.url}/moved", 301, "", "https://elsewhere.example/x"
    )
    assert http_client.get("http://127.0.0.1:1/x") == NoAnswer("http://127.0.0.1:1/x", "ConnectionError")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answering(200, body=b'{"version": "v1.61.1"}'), {"version": "v1.61.1"}),
        (Answering(200, body=b"[]"), "answers 200, but not with a JSON object"),
        (Answering(200, body=b"<html>"), "answers 200, but not with a JSON object"),
        # More brackets than Python's reader goes into ended the command in a RecursionError.
        (Answering(200, body=b"[" * 100_000), "answers 200, but not with a JSON object"),
        (Answering(401), "answers 401"),
        (Answering(403), "answers 403"),
        (Answering(404), "answers 404"),
        (Answering(301, {"Location": "/x"}), "answers 301"),
    ],
)
def test_what_flipt_does_not_say_could_not_be_looked_at(
    receiver: Receiver, answer: Answering, found: str | dict[str, str]
) -> None:
    receiver.script("/meta/info", [answer])
    known = http_client.get_json(f"{receiver.url}/meta/info", "token-of-flipt")
    assert known == found or (isinstance(known, Unknown) and str(found) in known.why)
    assert ("Authorization", "Bearer token-of-flipt") in receiver.requests("/meta/info")[0].headers


def flipt_says(receiver: Receiver, version: str, url: str) -> None:
    config = {
        "audit": {
            "sinks": {"webhook": {"enabled": True, "url": url}},
            "buffer": {"capacity": 2, "flushPeriod": 120_000_000_000},
            "events": ["*:*"],
        },
        "tracing": {"enabled": False, "samplingRatio": 1},
    }
    receiver.script("/meta/info", [Answering(200, body=json.dumps({"version": version}).encode())])
    receiver.script("/meta/config", [Answering(200, body=json.dumps(config).encode())])


@pytest.mark.parametrize(("version", "code"), [("v1.61.0", 0), ("v1.61.1", 1)])
def test_a_flipt_is_asked_for_its_version_and_configuration(
    stack: Deployed, receiver: Receiver, seen: Callable[..., Facts], version: str, code: int
) -> None:
    flipt_says(receiver, version, f"{receiver.url}/webhooks/flipt")
    seen(flipt_url=f"{receiver.url}/", code=code)


def test_a_file_of_flipts_is_read_with_the_version_that_flipt_says(
    stack: Deployed, receiver: Receiver, seen: Callable[..., Facts], tmp_path: Path
) -> None:
    file = tmp_path / "flipt.yml"
    webhook = {"enabled": True, "url": f"{receiver.url}/webhooks/flipt", "signing_secret": "flipts-own"}
    file.write_text(json.dumps({"audit": {"sinks": {"webhook": webhook}}}))
    seen(flipt=file, code=0)
    stack.describe()
    flipt_says(receiver, "v1.61.1", "")
    seen(flipt=file, flipt_url=receiver.url, code=1)
    assert receiver.requests("/meta/config") == []
    signatures = [
        flipt_signature(each.body, "flipts-own") in dict(each.headers).values()
        for each in receiver.requests("/webhooks/flipt")
    ]
    # The stack's own probe, then Flipt's, twice.
    assert signatures == [False, True] * 2


@pytest.mark.parametrize(
    ("text", "code"), [("version: '2.0'", 1), ("audit: {sinks: {webhook: {url: '${NOT_SET}'}}}", 2)]
)
def test_a_file_of_flipts_that_cannot_work_is_wrong_and_one_that_cannot_be_known_could_not_be_looked_at(
    stack: Deployed, seen: Callable[..., Facts], tmp_path: Path, text: str, code: int
) -> None:
    file = tmp_path / "flipt.yml"
    file.write_text(text)
    seen(flipt=file, code=code)


def test_a_flipt_that_does_not_answer_could_not_be_looked_at(stack: Deployed, seen: Callable[..., Facts]) -> None:
    seen(flipt_url="http://127.0.0.1:1", code=2)


def test_a_password_of_netrc_is_not_sent_in_the_place_of_the_token(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # requests puts what ~/.netrc holds for the host over the Authorization that it is given.
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))
    http_client.get(receiver.url, "flipt-token")
    http_client.post_signed(receiver.url, b"{}", "secret")
    assert [dict(each.headers).get("Authorization") for each in receiver.requests()] == ["Bearer flipt-token", None]
