"""Count what an event and each kind of attempt use, while the handlers run: `python -m benchmarks.count_usage`.

The events are requests that a real Flipt sent. AWS is a function that answers every botocore client of this process and
keeps what it is asked; the destination is a server on loopback. A test compares results/usage.json with a new count.
"""

import io
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS
from tests.support.api_gateway import http_event
from tests.support.captures import SECRET, captured
from tests.support.template import written

from benchmarks.aws_stub import answer as usual_answer
from benchmarks.measuring import handlers, stack_environment
from benchmarks.usage import FILE, Call, Run, Usage, kept_bytes, mean, step
from flagcast.events.flipt_signature import flipt_signature
from flagcast.flipt_state.row import MOST_RECENT
from flagcast.flipt_state.thing_keys import ROWS

EVENTS = "flipt-1.61.0/changes"
DAY = b"2026-11-23T"
"""The day of these events."""
DESTINATIONS = ("team-chat", "incident-desk", "archive")
STACK = "flagcast"

LAMBDAS_OWN = (
    "START RequestId: 8f507cfc-1a2b-4c3d-9e4f-5a6b7c8d9e0f Version: $LATEST\n",
    "END RequestId: 8f507cfc-1a2b-4c3d-9e4f-5a6b7c8d9e0f\n",
    "REPORT RequestId: 8f507cfc-1a2b-4c3d-9e4f-5a6b7c8d9e0f\tDuration: 53.27 ms\tBilled Duration: 54 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 96 MB\t\n",
)
"""What Lambda writes for an invocation: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"""


class Aws:
    """AWS in this process: it keeps every call, and the rows of the state table."""

    def __init__(self) -> None:
        """Begin without calls or rows, and answer every botocore client that is made from now on."""
        self.calls: list[Call] = []
        self.rows: dict[str, dict[str, Any]] = {}
        BUILTIN_HANDLERS.append(("before-send", self._sent))

    def answer(self, action: str, request: dict[str, Any]) -> dict[str, Any]:
        """Keep a call, and answer it."""
        self.calls.append((action, request))
        match action:
            case "BatchWriteItem":
                (changes,) = request["RequestItems"].values()
                self.rows |= {each["PutRequest"]["Item"]["key"]["S"]: each["PutRequest"]["Item"] for each in changes}
                return {"UnprocessedItems": {}}
            case "PutItem":
                self.rows[request["Item"]["key"]["S"]] = request["Item"]
                return {}
            case "BatchGetItem":
                ((table, asked),) = request["RequestItems"].items()
                names = [key["key"]["S"] for key in asked["Keys"]]
                found = [self.rows[name] for name in names if name in self.rows]
                return {"Responses": {table: found}, "UnprocessedKeys": {}}
            case _:
                return usual_answer(request)

    def _sent(self, request: Any, **_: Any) -> AWSResponse:
        action = request.headers["X-Amz-Target"].decode().split(".")[1]
        body = json.dumps(self.answer(action, json.loads(request.body))).encode()
        headers = HTTPHeaders.from_dict({"x-amzn-RequestId": "6b1c9b3e-5c0f-4a52-9f4e-0d3a7c1e2f48"})
        return AWSResponse(request.url, 200, headers, _Body(body))


class _Body(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


class Destination:
    """A destination on loopback that answers `status`."""

    status = 200

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve on a free port; yields the address."""
        destination = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body in one packet, at once.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(destination.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()


def measured() -> Usage:
    """Run both handlers over the captured events, every task once to the end and once through a refusal."""
    aws, destination = Aws(), Destination()
    requests = [http_event(headers=each.headers, body=each.body) for each in captured(EVENTS)]
    kinds: dict[str, list[Run]] = {"ingest": [], "delivered": [], "refused": [], "again": []}
    access: list[str] = []

    def run(kind: str, work: Callable[[], Any]) -> Any:
        aws.calls = []
        with redirect_stdout(io.StringIO()) as lines:
            answer = work()
        kinds[kind].append((lines.getvalue(), aws.calls))
        return answer

    with destination.running() as address, tempfile.TemporaryDirectory() as folder:
        os.environ |= stack_environment(Path(folder), "https://aws.invalid", _configuration(address))
        os.environ |= {"FLAGCAST_VAR_SECRET": SECRET, "FLAGCAST_STACK": STACK}
        ingest, deliver = _functions()
        with redirect_stdout(io.StringIO()):
            for request in _before():
                ingest(request)
        for request in requests:
            answer = run("ingest", partial(ingest, request))
            assert answer["statusCode"] == 200, answer
            access.append(_access_log_line(request, answer))
            entries = [each for action, call in aws.calls if action == "SendMessageBatch" for each in call["Entries"]]
            assert len(entries) == len(DESTINATIONS)
            for entry in entries:
                for kind, status, receives in (("delivered", 200, 1), ("refused", 500, 1), ("again", 200, 2)):
                    destination.status = status
                    run(kind, partial(deliver, entry, receives))
    steps = {name: step(runs) for name, runs in kinds.items()}
    return Usage(
        date=datetime.now(UTC).date().isoformat(),
        events=len(requests),
        access_log_bytes=mean([len(each.encode()) for each in access]),
        lambda_bytes=sum(len(each.encode()) for each in LAMBDAS_OWN),
        row_bytes=mean([kept_bytes(row) for key, row in aws.rows.items() if not key.startswith(ROWS)]),
        known_row_bytes=mean([kept_bytes(row) for key, row in aws.rows.items() if key.startswith(ROWS)]),
        **steps,
    )


def _before() -> Iterator[dict[str, Any]]:
    """Make the same events on the days before, so that each row remembers as many as it can: it is largest then."""
    for days in range(MOST_RECENT, 0, -1):
        for each in captured(EVENTS):
            body = each.body.replace(DAY, b"2026-11-%02dT" % (23 - days))
            yield http_event(headers=[("x-flipt-webhook-signature", flipt_signature(body, SECRET))], body=body)


def _configuration(address: str) -> dict[str, Any]:
    return {
        "sources": {"flipt": {"signing_secrets": ["${env:FLAGCAST_VAR_SECRET}"]}},
        "defaults": {"allow_http": True, "allow_private": ["127.0.0.0/8"]},
        "destinations": {name: {"url": f"{address}/{name}"} for name in DESTINATIONS},
    }


def _functions() -> tuple[Callable[[Mapping[str, Any]], Any], Callable[[Mapping[str, Any], int], Any]]:
    """Return what runs ingest with a request, and deliver with one task; deliver takes nothing as known."""
    handlers()
    import deliver
    import ingest
    from benchmarks.deliver import Context
    from flagcast.edges.wiring import deliver_batch, resources

    resources.forget()

    def delivering(entry: Mapping[str, Any], receives: int) -> Any:
        # Circuits and requests for a pause are taken as known for seconds; in the month that is priced, attempts on
        # one destination are further apart than that.
        deliver_batch.attempts.cache_clear()
        resources.circuits.cache_clear()
        return deliver.handler({"Records": [_record(entry, receives)]}, Context())

    return lambda request: ingest.handler(dict(request), None), delivering


def _record(entry: Mapping[str, Any], receives: int) -> dict[str, Any]:
    now = str(int(datetime.now(UTC).timestamp() * 1000))
    return {
        "messageId": f"00000000-0000-4000-8000-{entry['MessageDeduplicationId'][:12]}",
        "receiptHandle": "receipt",
        "body": entry["MessageBody"],
        "attributes": {
            "MessageGroupId": entry["MessageGroupId"],
            "SequenceNumber": "18849496460467696129",
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": now,
            "ApproximateFirstReceiveTimestamp": now,
        },
    }


def _access_log_line(event: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """Return the line that API Gateway writes for a request, by the template's format."""
    context = event["requestContext"]
    line: str = written()["Resources"]["HttpApi"]["Properties"]["AccessLogSettings"]["Format"]
    values = {
        "requestTime": context["time"],
        "requestId": "JKJaXmPLvHcESHA=",
        "identity.sourceIp": context["http"]["sourceIp"],
        "httpMethod": context["http"]["method"],
        "routeKey": event["routeKey"],
        "status": str(answer["statusCode"]),
        "responseLength": str(len(answer["body"])),
        "responseLatency": "13",
        "integrationStatus": "200",
        "error.responseType": "-",
    }
    for name in sorted(values, key=len, reverse=True):
        line = line.replace(f"$context.{name}", values[name])
    assert "$context" not in line, line
    return line + "\n"


if __name__ == "__main__":
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(measured()), indent=2) + b"\n")
