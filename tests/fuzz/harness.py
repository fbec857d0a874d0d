"""Ingest over services that stand in this process: fast enough for a fuzzer, and every answer held to the contract."""

import hashlib
import hmac
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from msgspec import Struct

import ingest
from flagcast.config.read import read
from flagcast.edges.wiring import ingest_request, resources
from flagcast.ingest import http_api
from flagcast.tasks.task import Task, decode
from tests.support import strict_sqs
from tests.support.time_limits import PATIENCE

SIGNING, ROTATED, TOKEN = "canary-signing", "canary-signing-é", "canary-token"
SOURCES: dict[str, Any] = {
    "flipt": {"signing_secrets": ["${env:FLAGCAST_VAR_SIGNING}", "${env:FLAGCAST_VAR_ROTATED}"]},
    "template": {"bearer_tokens": ["${env:FLAGCAST_VAR_TOKEN}"]},
    "both": {"signing_secrets": ["${env:FLAGCAST_VAR_SIGNING}"], "bearer_tokens": ["${env:FLAGCAST_VAR_TOKEN}"]},
    "open": {"auth": "none"},
    "every-time": {"auth": "none", "dedupe": False},
    "faulty": {},
}
DESTINATIONS = {
    "everything": {"url": "https://example.com/in"},
    "flags": {"url": "https://example.com/in", "events": ["flag:*"], "ordering": "destination"},
    "updates": {"url": "https://example.com/in", "events": ["*:updated"], "ordering": "none"},
}
ENVIRONMENT = {
    "FLAGCAST_QUEUE_URL": "tasks",
    "FLAGCAST_DEAD_LETTER_QUEUE_URL": "dead letters",
    "FLAGCAST_SECRET_PREFIX": "",
    "FLAGCAST_PARAMETER_PREFIX": "",
    "FLAGCAST_BODIES_BUCKET": "bodies",
    "FLAGCAST_ARCHIVE_BUCKET": "arn:aws:s3:::archive",
    "FLAGCAST_ARCHIVE": "off",
    "FLAGCAST_STATE_TABLE": "state",
    "FLAGCAST_CIRCUIT_BREAKER": "off",
    "FLAGCAST_TRACK_CHANGES": "off",
    "FLAGCAST_LOG_NAMES": "on",
    "FLAGCAST_VAR_SIGNING": SIGNING,
    "FLAGCAST_VAR_ROTATED": ROTATED,
    "FLAGCAST_VAR_TOKEN": TOKEN,
}
FIXED = {
    each.status: each.as_response()
    for each in (
        http_api.INVALID_EVENT,
        http_api.UNAUTHORIZED,
        http_api.UNKNOWN_SOURCE,
        http_api.METHOD_NOT_ALLOWED,
        http_api.TOO_LARGE,
        http_api.UNAVAILABLE,
    )
}
_FAULTS = "; ".join(map(str, read(json.dumps({"sources": SOURCES, "destinations": {}})).problems))
LONGEST_LINE = 32_000
"""Characters of a log line whose every text is as long as summaries/log_fields.py lets it be, each escaped."""

_EVENT_ID = re.compile(r"evt_[0-9a-f]{32}")


class Kept(Struct):
    """What one request left behind: messages by queue, bodies by key, and lines."""

    messages: dict[str, list[dict[str, Any]]]
    bodies: dict[str, bytes]
    lines: list[dict[str, Any]]

    @property
    def is_nothing(self) -> bool:
        return not self.messages and not self.bodies

    def raw(self, entry: Mapping[str, Any]) -> bytes:
        task = decode(entry["MessageBody"])
        assert isinstance(task, Task), task
        return self.bodies[task.body_ref] if isinstance(task.body_ref, str) else task.raw


class Services:
    """SQS and S3, as far as ingest asks them; what SQS would refuse is an error of the function's."""

    def __init__(self) -> None:
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.bodies: dict[str, bytes] = {}

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        strict_sqs.check(call)
        self.messages.setdefault(call["QueueUrl"], []).extend(call["Entries"])
        return {"Successful": [{"Id": entry["Id"]} for entry in call["Entries"]]}

    def put_object(self, **call: Any) -> None:
        self.bodies[call["Key"]] = call["Body"]


class World:
    """One function that is warm."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run(self, event: Any) -> tuple[dict[str, Any], Kept]:
        """Hand over whatever is given; return the answer, and what was kept."""
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            response = ingest.handler(event, None)
        kept = Kept(
            self._services.messages,
            self._services.bodies,
            [json.loads(line) for line in said.getvalue().split("\n") if line],
        )
        self._services.messages, self._services.bodies = {}, {}
        return response, kept

    def ask(self, event: dict[str, Any]) -> tuple[int, Kept]:
        """Hand over what API Gateway could; return the status once all that the contract says of it holds."""
        response, kept = self.run(event)
        status = response["statusCode"]
        name = (event.get("pathParameters") or {}).get("source")
        if status == 200:
            _judge_accepted(event, name, response, kept)
        else:
            _judge_refused(event, name, response, kept)
        return status, kept

    def survive(self, event: Any) -> tuple[int, Kept]:
        """Hand over what API Gateway would not; return the status, which is one that the contract has."""
        response, kept = self.run(event)
        status = response["statusCode"]
        assert status == 200 or response == FIXED[status]
        assert len(kept.lines) == 1 or response["body"] in ("", '{"status":"ok"}')
        for line in kept.lines:
            line.pop("_aws")
            assert line["event"] != "error" or set(line) == {"event", "error", "at", "Errors"}
            assert (
                line["event"] != "event.rejected"
                or line["detail"] in {"", _FAULTS}
                or line["reason"] == "invalid_event"
            )
        return status, kept


def _judge_accepted(event: dict[str, Any], name: str | None, response: dict[str, Any], kept: Kept) -> None:
    assert response["headers"] == {"content-type": "application/json"}
    if name is None:
        method = event["requestContext"]["http"]["method"]
        assert (method, response["body"]) in (("GET", '{"status":"ok"}'), ("HEAD", ""))
        assert kept == Kept({}, {}, [])
        return
    body = json.loads(response["body"])
    assert set(body) == {"event_id", "deliveries"}
    assert _EVENT_ID.fullmatch(body["event_id"])
    assert _proven(event, name)
    if kept.lines[0]["event"] == "probe.answered":
        (line,) = kept.lines
        assert kept.is_nothing
        assert (line["source"], line["event_id"], body["deliveries"]) == (name, body["event_id"], 0)
        return
    sent = kept.messages.get("tasks", [])
    assert set(kept.messages) <= {"tasks"}
    assert len(sent) == body["deliveries"] >= 1
    assert {kept.raw(entry) for entry in sent} == {raw_of(event)}
    (line,) = kept.lines
    assert (line["event"], line["source"], line["event_id"]) == ("event.accepted", name, body["event_id"])
    assert len(json.dumps(line)) < LONGEST_LINE


def _judge_refused(event: dict[str, Any], name: str | None, response: dict[str, Any], kept: Kept) -> None:
    status = response["statusCode"]
    assert response == FIXED[status]
    known = name in SOURCES
    (line,) = kept.lines
    line.pop("_aws")
    detail = line.pop("detail")
    assert detail == (_FAULTS if status == 503 else "") or (status == 400 and 0 < len(detail) < 120)
    assert line == {
        "event": "event.rejected",
        "source": name if known else "-",
        "reason": json.loads(response["body"])["error"],
        "EventsRejected": 1,
    }
    assert (status == 404) == (not known)
    assert (status == 405) == (known and event["requestContext"]["http"]["method"] != "POST")
    assert status != 503 or name == "faulty"
    if status in {400, 413}:
        assert name is not None
        assert _proven(event, name)
    if status == 401:
        assert name is not None
        assert not _proven(event, name)
    if status != 400 or "auth" in SOURCES[name or ""]:
        assert kept.is_nothing
        return
    assert set(kept.messages) == {"dead letters"}
    (letter,) = kept.messages["dead letters"]
    assert kept.raw(letter) == raw_of(event)


def raw_of(event: Mapping[str, Any]) -> bytes:
    return http_api.read_request(event).body


def _proven(event: Mapping[str, Any], name: str) -> bool:
    """Say what the contract says of a request, with none of the function's own means but the reading of its body."""
    source = SOURCES[name]
    if "auth" in source:
        return True
    headers = {key.lower(): value for key, value in event["headers"].items()}
    secrets = {"flipt": (SIGNING, ROTATED), "both": (SIGNING,)}.get(name, ())
    right = {hmac.new(each.encode(), raw_of(event), hashlib.sha256).hexdigest() for each in secrets}
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bears = "bearer_tokens" in source and scheme.lower() == "bearer" and token.strip() == TOKEN
    return headers.get("x-flipt-webhook-signature") in right or bears


def signed(body: bytes, secret: str = SIGNING) -> Sequence[tuple[str, str]]:
    return [("X-Flipt-Webhook-Signature", hmac.new(secret.encode(), body, hashlib.sha256).hexdigest())]


@contextmanager
def world(destinations: Mapping[str, Any] = DESTINATIONS) -> Iterator[World]:
    """Set the function up; on leaving, the process is what it was."""
    services = Services()
    document = json.dumps({"sources": SOURCES, "destinations": destinations})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "flagcast.yaml").write_text(document, encoding="utf-8")
        environment = {**ENVIRONMENT, "FLAGCAST_CONFIG": str(folder / "flagcast.yaml")}
        stack.enter_context(patch.dict(os.environ, environment))
        stack.enter_context(patch.object(resources, "client", lambda _: services))
        stack.enter_context(patch.object(ingest_request, "PATIENCE", PATIENCE))
        stack.callback(resources.forget)
        resources.forget()
        yield World(services)
