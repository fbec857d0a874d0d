"""Flipt's REST API over a recorded state: pages, its clock, and answers that are put in front of it."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

RestState = dict[str, Any]
"""Flipt's whole REST state as tests/captures/README.md has it: `namespaces`, and `by_namespace` with the rest."""


class Scripted(Struct, frozen=True):
    """An answer in place of Flipt's."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = {}
    closes: bool = False
    """Whether the connection ends without an answer."""


class FliptServer:
    """One Flipt: its state, its version, its clock (epoch seconds), and its largest page."""

    def __init__(self, state: RestState, now: float) -> None:
        self.state = state
        self.version = "v1.61.0"
        self.now = now
        self.ticks = 0
        """Seconds between two answers."""
        self.page = 100
        self.date: str | None = "its own"
        """None leaves the Date header out."""
        self.scripted: defaultdict[str, list[Scripted]] = defaultdict(list)
        """Answers by path, each given once, in order."""
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.between_pages: list[RestState] = []
        """States that the server moves on to, one after each page that has a next one."""
        self.url = ""

    def answer(self, target: str) -> Scripted:
        path, query = unquote(urlsplit(target).path), parse_qs(urlsplit(target).query)
        self.asked.append(path)
        if self.scripted[path]:
            return self.scripted[path].pop(0)
        if path == "/meta/info":
            return Scripted(200, json.dumps({"version": self.version}).encode())
        found = self._list(path.removeprefix("/api/v1/").split("/"))
        if found is None:
            return Scripted(404, b'{"code": 5, "message": "Not Found", "details": []}')
        name, items = found
        start = int(query.get("pageToken", ["0"])[0])
        limit = min(int(query["limit"][0]), self.page)
        token = str(start + limit) if start + limit < len(items) else ""
        if token and self.between_pages:
            self.state = self.between_pages.pop(0)
        told = {name: items[start : start + limit], "nextPageToken": token, "totalCount": len(items)}
        return Scripted(200, json.dumps(told).encode())

    def _list(self, parts: list[str]) -> tuple[str, list[Any]] | None:
        match parts:
            case ["namespaces"]:
                return "namespaces", self.state["namespaces"]
            case ["namespaces", namespace, "flags" | "segments" as kind]:
                return kind, self.state["by_namespace"][namespace][kind]
            case ["namespaces", namespace, "flags", flag, "rules" | "rollouts" as kind]:
                # Both lists are called rules: rpc/flipt/flipt.proto.
                return "rules", self.state["by_namespace"][namespace][kind].get(flag, [])
        return None


@contextmanager
def serving(flipt: FliptServer) -> Iterator[FliptServer]:
    """Serve on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # One write for an answer: two wait for each other, 40 ms, on loopback too.

        def do_GET(self) -> None:
            flipt.tokens.add(self.headers.get("Authorization"))
            answer = flipt.answer(self.path)
            if answer.closes:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            if flipt.date:
                self.send_header("Date", formatdate(flipt.now, usegmt=True))
                flipt.now += flipt.ticks
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    flipt.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield flipt
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
