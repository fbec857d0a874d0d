"""The same as the oracle, on a real Flipt: where one is given, as FLIPT=path-to-its-binary.

It runs on loopback with a database of its own, is driven through the recorded changes, and sends its events here.
"""

import copy
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from flagcast.flipt_state.thing_keys import row_key, thing_of
from flagcast_cli.flipt_state.comparison import compare, gone_of
from flagcast_cli.flipt_state.flipt_client import Flipt
from flagcast_cli.flipt_state.learn import Learning, carry_out, writes
from flagcast_cli.flipt_state.snapshot import Present, read_everything
from tests.integration.cli.known_oracle import differing, in_one_order, plain, things_in
from tests.support.captures import states
from tests.support.flipt_server import RestState
from tests.support.known_rows import SOURCE, Ingest, MemoryRows, event_of
from tests.support.ports import free_port
from tests.support.time_limits import PATIENCE

FLIPT = os.environ.get("FLIPT")
pytestmark = [
    pytest.mark.skipif(FLIPT is None, reason="FLIPT names no Flipt binary"),
    pytest.mark.long,
]


class Running:
    """A Flipt that runs, and the bodies that it has sent."""

    def __init__(self, url: str, bodies: list[bytes]) -> None:
        self.url = url
        self.bodies = bodies
        self._ids: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}{path}", json=body, timeout=PATIENCE)
        assert answer.status_code == 200, (method, path, answer.text)
        return answer.json()

    def change(self, number: int) -> None:
        """Ask for a recorded change, with the ids that this Flipt has given."""
        recorded = states()[number]
        assert recorded.request is not None
        text = json.dumps(recorded.request)
        for old, new in self._ids.items():
            text = text.replace(old, new)
        request = json.loads(text)
        answer = self.ask(request["method"], request["path"], request["body"])
        payload = json.loads(recorded.events[0])["payload"]
        if "id" in payload and "id" in answer:
            self._ids[payload["id"]] = answer["id"]

    def event(self, number: int) -> bytes:
        """Wait for the event of a change: Flipt holds two spans back, and each question is one."""
        self.until(lambda: len(self.bodies) >= number)
        return self.bodies[number - 1]

    def until(self, holds: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < ends
            self.ask("GET", "/api/v1/namespaces")

    def state(self) -> RestState:
        """Return all that it has, as tests/captures has it."""
        namespaces = self.ask("GET", "/api/v1/namespaces")["namespaces"]
        found: dict[str, Any] = {"namespaces": namespaces, "by_namespace": {}}
        for namespace in namespaces:
            path = f"/api/v1/namespaces/{namespace['key']}"
            flags = self.ask("GET", f"{path}/flags")["flags"]
            found["by_namespace"][namespace["key"]] = {
                "flags": flags,
                "segments": self.ask("GET", f"{path}/segments")["segments"],
                **{
                    kind: {
                        each["key"]: self.ask("GET", f"{path}/flags/{each['key']}/{kind}")["rules"] for each in flags
                    }
                    for kind in ("rules", "rollouts")
                },
            }
        return found

    def read(self) -> Present:
        return read_everything(Flipt(self.url, None, "FLIPT_TOKEN", time.time, time.sleep), lambda *_: None)


@contextmanager
def receiving(bodies: list[bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def flipt(tmp_path: Path) -> Iterator[Running]:
    assert FLIPT is not None
    port, bodies = free_port(), list[bytes]()
    with receiving(bodies) as webhook, (tmp_path / "log").open("w") as log:
        settings = {
            "HOME": str(tmp_path),
            "FLIPT_DB_URL": f"file:{tmp_path}/flipt.db",
            "FLIPT_SERVER_HOST": "127.0.0.1",
            "FLIPT_SERVER_HTTP_PORT": str(port),
            "FLIPT_SERVER_GRPC_PORT": str(free_port()),
            "FLIPT_LOG_LEVEL": "warn",
            "FLIPT_META_CHECK_FOR_UPDATES": "false",
            "FLIPT_META_TELEMETRY_ENABLED": "false",
            "FLIPT_AUDIT_SINKS_WEBHOOK_ENABLED": "true",
            "FLIPT_AUDIT_SINKS_WEBHOOK_URL": webhook,
            "FLIPT_AUDIT_BUFFER_CAPACITY": "2",
        }
        process = subprocess.Popen([FLIPT], env=settings, cwd=tmp_path, stdout=log, stderr=log)
        try:
            running = Running(f"http://127.0.0.1:{port}", bodies)
            _wait_for(running, process)
            yield running
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait_for(running: Running, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, "Flipt has ended"
        try:
            running.ask("GET", "/meta/info")
        except requests.ConnectionError:
            assert time.monotonic() < ends
            time.sleep(0.1)
        else:
            return


def learn(rows: MemoryRows, present: Present) -> None:
    stored = rows.of(SOURCE)
    run = Learning(SOURCE, rows, present, time.time())
    carry_out(writes(run, stored, list(gone_of(SOURCE, stored, present)), dry=False), lambda: None)


def test_a_real_flipt_tells_what_the_recorded_one_told(flipt: Running) -> None:
    always, since_20 = MemoryRows(time.time()), MemoryRows(time.time())
    learn(always, flipt.read())
    flipt.until(lambda: time.time() > max(each.row.at for each in always.stored.values() if each.row) + 1)
    ingest, late = Ingest(always), Ingest(since_20)
    before, told, missed = flipt.state(), 0, 0
    for number in range(1, len(states())):
        flipt.change(number)
        body = flipt.event(number)
        event, after = event_of(body), flipt.state()
        thing = thing_of(event)
        assert thing is not None
        # A row and an answer of the same second cannot be told apart.
        at = int(time.time())
        flipt.until(lambda at=at: time.time() >= at + 2)  # type: ignore[misc]
        present = flipt.read()

        # verify finds what is left out, and nothing else.
        without = MemoryRows(time.time())
        without.stored = copy.copy(always.stored)
        was, now = things_in(before).get(thing, {}), things_in(after).get(thing, {})
        left_out = compare(SOURCE, without.stored, present)
        is_known = not thing.type.endswith("-order") or row_key(SOURCE, thing) in always.stored
        assert {each.key for each in left_out.differences} == (
            {row_key(SOURCE, thing)} if was != now and is_known else set()
        ), body
        missed += len(left_out.differences)

        # What the event changed is the difference of its thing in Flipt's states.
        known = ingest.accept(body, time.time()).known
        assert known.is_known == is_known
        if known.is_known:
            changes = {
                each.field: (plain(each.field, each.before), plain(each.field, each.after)) for each in known.changes
            }
            assert changes == differing(was, now), body
            told += len(changes)
        compared = compare(SOURCE, always.stored, flipt.read())
        assert (compared.differences, compared.newer) == ((), 0), body

        # What is read is what the event carries.
        if event.action != "deleted" and not thing.type.endswith("-order"):
            assert in_one_order(present.things[thing].state) == in_one_order(event.payload), body

        # Learning later and the events since know the same.
        if number == 20:
            learn(since_20, present)
            flipt.until(lambda at=at: time.time() >= at + 5)  # type: ignore[misc]
        elif number > 20:
            late.accept(body, time.time())
            assert compare(SOURCE, since_20.stored, flipt.read()).differences == (), body
        before = after
    print(f"{len(states()) - 1} changes of a real Flipt, {told} fields told, {missed} missed events found")
    assert len(flipt.bodies) == len(states()) - 1
