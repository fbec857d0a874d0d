"""What the functions write under AWS's own runtime client, whatever their libraries have to say."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flagcast.events.flipt_signature import flipt_signature
from flagcast.tasks.task import encode, event_id, task
from tests.integration.deliver.raw_server import serving
from tests.support.alone import alone
from tests.support.api_gateway import http_event
from tests.support.captures import captured
from tests.support.runtime import Runtime, hosted

IN_PATH, IN_QUERY, IN_HEADER, IN_BODY, IN_SIGNATURE, IN_PARAMETER, IN_VARIABLE, IN_CREDENTIALS, IN_ERROR = CANARIES = (
    "canaryPath0", "canaryQuery1", "canaryHeader2", "canaryBody3", "canarySignature4", "canaryParameter5",
    "canaryVariable6", "canaryCredentials7", "canaryError8",
)  # fmt: skip
SECRETS = {
    "address": f"{IN_PATH}?key={IN_QUERY}", "key": IN_HEADER, "value": json.dumps({"inner": IN_BODY}),
    "sign": f"whsec_{base64.b64encode(IN_SIGNATURE.encode()).decode()}",
}  # fmt: skip
OK = b"HTTP/1.1 200 OK\r\n"

# Each quotes the request that it answers, so every secret of it.
ANSWERS: dict[str, bytes] = {
    "a-header-line-without-a-colon": OK + b"no colon: none\r\n%b\r\nContent-Length: 2\r\n\r\nok",
    "headers-that-go-on-after-the-end": OK + b"%b\r\n\r\nnot: a body",
    "an-incomplete-body": OK + b"Content-Length: 99999\r\n\r\n%b",
    "a-chunk-without-size": OK + b"Transfer-Encoding: chunked\r\n\r\n%b\r\n",
    "no-status-line": b"%b\r\n\r\n",
    "a-status-line-of-another-protocol": b"%b 200 OK\r\n\r\n",
    "a-redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/%b\r\nContent-Length: 0\r\n\r\n",
    "credentials-refused": b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: %b\r\nContent-Length: 0\r\n\r\n",
    "gone": b"HTTP/1.1 410 Gone\r\nConnection: close\r\n\r\n%b",
    "an-outage": b"HTTP/1.1 503 Unavailable\r\nConnection: close\r\n\r\n%b",
    "a-cookie-that-is-none": OK + b"Set-Cookie: %b; Max-Age=%b\r\nContent-Length: 0\r\n\r\n",
    "compressed-badly": OK + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n%b",
    "a-retry-after-that-is-none": b"HTTP/1.1 429 Slow\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n",
    "a-header-too-long": OK + b"X-Echo: %b" + b"x" * 70_000 + b"\r\n\r\n",
    "too-many-headers": OK + b"X-Echo: %b\r\n" * 120 + b"\r\n",
    "an-encoding-that-is-none": OK + b"Content-Type: text/plain; charset=%b\r\nContent-Length: 1\r\n\r\n\xff",
    "nothing": b"",
}  # fmt: skip


def taken(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read a request by its length; returns its head and its body."""
    read = b""
    while b"\r\n\r\n" not in read:
        read += connection.recv(65_536) or b"\r\n\r\n"
    head, _, body = read.partition(b"\r\n\r\n")
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    while len(body) < int(length.split(b":")[1]):
        body += connection.recv(65_536) or b" "
    return head, body


def echo(connection: socket.socket, _: threading.Event) -> None:
    """Answer as the path says, and quote the whole request."""
    head, body = taken(connection)
    answer = ANSWERS[head.split(b" ")[1].decode().split("/")[1]]
    connection.sendall(answer.replace(b"%b", b" ".join((head + body).split())))


class Aws:
    """AWS's endpoints: each answer has a header line without a colon, and the state table's is a page of a proxy."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def __call__(self, connection: socket.socket, _: threading.Event) -> None:
        head, body = taken(connection)
        self.sent.append(body)
        target = next((line for line in head.decode().split("\r\n") if line.lower().startswith("x-amz-target")), "")
        operation = target.rpartition(".")[2]
        if operation in ("BatchGetItem", "BatchWriteItem", "GetItem", "UpdateItem"):
            connection.sendall(OK + b"Content-Type: text/html\r\nConnection: close\r\n\r\n<h1>Proxy</h1>" + body)
            return
        made = json.dumps(self.answer(operation, json.loads(body or b"{}"))).encode()
        length = str(len(made)).encode()
        connection.sendall(
            OK + b"x-amzn-RequestId: 1\r\nContent-Length: " + length + b"\r\nConnection: close\r\n"
            b"no colon " + IN_CREDENTIALS.encode() + b"\r\n\r\n" + made
        )  # fmt: skip

    def answer(self, operation: str, asked: Mapping[str, Any]) -> object:
        match operation:
            case "GetSecretValue":
                return {"SecretString": SECRETS[asked["SecretId"].rpartition("/")[2]]}
            case "GetParameter":
                return {"Parameter": {"Value": IN_PARAMETER}}
            case _:
                return {"Successful": [{"Id": each["Id"]} for each in asked.get("Entries", [])], "Failed": []}


@contextmanager
def functions(folder: Path, before: str = "", **environment: str) -> Iterator[tuple[Runtime, Runtime, Aws]]:
    """Host ingest and deliver, with a destination for each answer."""
    aws = Aws()
    with serving(echo) as destinations, serving(aws) as endpoint:
        configured = {
            name: {
                "url": destinations.removesuffix("/in") + f"/{name}/${{secret:address}}",
                "allow_http": True,
                "allow_private": ["127.0.0.0/8"],
                "headers": {"X-Key": "${secret:key}", "X-Parameter": "${ssm:parameter}"},
                "body": '{"value": {{ vars.value }}, "own": {{ vars.own }}}',
                "vars": {"value": "${secret:value#inner}", "own": "${env:FLAGCAST_VAR_OWN}"},
                "sign": {"scheme": "standard-webhooks", "secret": "${secret:sign}"},
            }
            for name in ANSWERS
        }
        source = {"signing_secrets": ["${secret:key}"]}
        (folder / "flagcast.yaml").write_text(json.dumps({"sources": {"flipt": source}, "destinations": configured}))
        settings = {
            "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": endpoint.removesuffix("/in"),
            "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": IN_CREDENTIALS,
            "AWS_SESSION_TOKEN": IN_CREDENTIALS,
            "FLAGCAST_CONFIG": str(folder / "flagcast.yaml"), "FLAGCAST_QUEUE_URL": f"{endpoint}/tasks.fifo",
            "FLAGCAST_DEAD_LETTER_QUEUE_URL": f"{endpoint}/dead.fifo", "FLAGCAST_SECRET_PREFIX": "flagcast/test/",
            "FLAGCAST_PARAMETER_PREFIX": "/flagcast/test/", "FLAGCAST_BODIES_BUCKET": "bodies",
            "FLAGCAST_ARCHIVE_BUCKET": "arn:aws:s3:::archive", "FLAGCAST_ARCHIVE": "off",
            "FLAGCAST_STATE_TABLE": "state", "FLAGCAST_TRACK_CHANGES": "on",
            "FLAGCAST_LOG_NAMES": "on",
            "FLAGCAST_CIRCUIT_BREAKER": "on", "FLAGCAST_VAR_OWN": IN_VARIABLE,
            "PYTHONWARNINGS": "always", **environment,
        }  # fmt: skip
        with (
            hosted("ingest", folder / "ingest.log", settings, before) as ingest,
            hosted("deliver", folder / "deliver.log", settings, before) as deliver,
        ):
            yield ingest, deliver, aws


def record(destination: str, **attributes: str) -> dict[str, Any]:
    raw = captured("flipt-1.61.0/changes")[0].body
    now = str(round(time.time() * 1000))
    made = task(event_id("flipt", raw), "flipt", destination, "2026-01-01T00:00:00Z", raw)
    return {
        "messageId": destination, "receiptHandle": destination, "body": encode(made),
        "attributes": {
            "MessageGroupId": destination, "ApproximateReceiveCount": "2", "SentTimestamp": now,
            "ApproximateFirstReceiveTimestamp": now, **attributes,
        },
    }  # fmt: skip


def worked_through(ingest: Runtime, deliver: Runtime) -> str:
    """Let both functions do all that makes libraries speak, and raise; returns what they answered the runtime."""
    body = captured("flipt-1.61.0/changes")[0].body
    signed, forged = (
        http_event(headers=[("X-Flipt-Webhook-Signature", flipt_signature(body, each))], body=body)
        for each in (IN_HEADER, IN_ERROR)
    )
    answers = [ingest.invoke(each) for each in (signed, forged, {"requestContext": {IN_ERROR: forged}})]
    assert "evt_" in answers[0][1]
    answers.append(deliver.invoke({"Records": [record(each) for each in ANSWERS]}))
    answers.append(deliver.invoke({"Records": [record("gone", SentTimestamp=IN_ERROR)]}))
    assert [kind for kind, _ in answers] == ["response"] * 4 + ["error"]
    return "".join(text for _, text in answers)


def leaked(*texts: str) -> list[str]:
    return [each for each in CANARIES if any(each in text for text in texts)]


@pytest.mark.parametrize("level", [{}, {"AWS_LAMBDA_LOG_LEVEL": "DEBUG", "AWS_LAMBDA_LOG_FORMAT": "JSON"}])
def test_no_library_warning_or_error_writes_a_secret(tmp_path: Path, level: dict[str, str]) -> None:
    # urllib3 logged "Failed to parse headers (url=https://hooks.example/services/T0/secret)", and what the destination
    # had answered, by Lambda's root handler; at DEBUG botocore logs every secret that it fetches.
    with functions(tmp_path, **level) as (ingest, deliver, aws):
        answered = worked_through(ingest, deliver)
        written = ingest.written() + deliver.written()
    assert leaked(answered, written) == []
    assert [name for name in CANARIES if name.encode() in b"".join(aws.sent)] == []
    # Our own lines, and the error of the runtime with its traceback.
    ours = ('{"event":', '{"timestamp":', "[ERROR] Broken: ", "Traceback", "File", "raise Broken")
    assert [line for line in written.splitlines() if not line.strip("\xa0 \r").startswith(ours)] == []
    told = [json.loads(line) for line in written.splitlines() if line.startswith('{"event":')]
    assert {each["destination"] for each in told if each["event"] == "delivery.attempted"} == set(ANSWERS)
    assert {each["error"] for each in told if each["event"] == "error"} == {"KeyError", "ValueError"}


def test_without_the_handlers_care_the_same_invocations_write_secrets(tmp_path: Path) -> None:
    # What the test above would not notice if nothing spoke.
    before = "import logging; logging.disable = lambda level: None"
    with functions(tmp_path, before, AWS_LAMBDA_LOG_LEVEL="DEBUG") as (ingest, deliver, _):
        worked_through(ingest, deliver)
        assert {IN_PATH, IN_QUERY, IN_BODY, IN_PARAMETER} <= set(leaked(deliver.written()))


def test_what_a_warning_a_thread_or_a_finalizer_leaves_behind_is_told_without_its_words() -> None:
    # Python writes them to standard error itself, message and all.
    written = alone(
        """
import os, threading, warnings
os.dup2(1, 2)
import deliver
warnings.warn(f"canaryWarning")
thread = threading.Thread(target=lambda: int("canaryThread"))
thread.start()
thread.join()
type("Left", (), {"__del__": lambda self: [][0]})()
"""
    )
    assert "canary" not in written
    assert [json.loads(line)["error"] for line in written.splitlines()] == ["ValueError", "IndexError"]
