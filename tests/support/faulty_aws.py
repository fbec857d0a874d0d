"""AWS on a bad day: calls that are refused, counted or broken, and servers that never come to an end."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self

from boto3.session import Session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError

IN_AN_ERROR = "canary-in-an-error-message"
"""What every error message of these faults holds: messages of AWS may quote what was sent."""

Matching = Callable[[dict[str, Any]], bool]


class Faults:
    """What goes wrong with the calls of a session's clients, and how many calls there were."""

    def __init__(self, session: Session) -> None:
        self.calls: Counter[str] = Counter()
        self.batches: list[list[dict[str, Any]]] = []
        self._failing: dict[str, tuple[str, float]] = {}
        self._refused: Counter[str] = Counter()
        self._refusal: tuple[Matching, int] | None = None
        self._lock = threading.Lock()
        session.events.register("before-call", self._before)
        session.events.register("after-call.sqs.SendMessageBatch", self._after)

    def fail(self, operation: str, code: str = "InternalFailure", *, times: float = float("inf")) -> None:
        """Answer so many calls with an error of AWS; the code `unreachable` is a connection refused."""
        self._failing[operation] = (code, times)

    def recover(self) -> None:
        """Let everything succeed again."""
        self._failing.clear()
        self._refusal = None

    def refuse(self, matching: Matching, *, times: int) -> None:
        """Refuse each entry of a SendMessageBatch that matches so many times; the rest of its batch is taken."""
        self._refusal = (matching, times)
        self._refused.clear()

    def _before(self, **call: Any) -> Any:
        operation = call["model"].name
        with self._lock:
            self.calls[operation] += 1
            code, times = self._failing.get(operation, ("", 0))
            if times > 0:
                self._failing[operation] = (code, times - 1)
                return _failed(code)
            if operation == "SendMessageBatch":
                return self._send(call["params"], call["context"])
            return None

    def _send(self, params: dict[str, Any], context: dict[str, Any]) -> Any:
        sent = json.loads(params["body"])
        self.batches.append(sent["Entries"])
        refused = [each for each in sent["Entries"] if self._refuses(each)]
        taken = [each for each in sent["Entries"] if each not in refused]
        context["refused"] = [
            {"Id": each["Id"], "SenderFault": False, "Code": "InternalError", "Message": IN_AN_ERROR}
            for each in refused
        ]
        if not taken:
            return _response(200), {"ResponseMetadata": {"RequestId": "none was taken"}}
        params["body"] = json.dumps({**sent, "Entries": taken}).encode()
        return None

    def _refuses(self, entry: dict[str, Any]) -> bool:
        if self._refusal is None or not self._refusal[0](entry):
            return False
        name = entry["MessageDeduplicationId"]
        self._refused[name] += 1
        return self._refused[name] <= self._refusal[1]

    def _after(self, **call: Any) -> None:
        if refused := call["context"].get("refused"):
            call["parsed"]["Failed"] = [*call["parsed"].get("Failed", []), *refused]


def _failed(code: str) -> tuple[AWSResponse, dict[str, Any]]:
    if code == "unreachable":
        raise EndpointConnectionError(endpoint_url=f"https://{IN_AN_ERROR}")
    return _response(400), {"Error": {"Code": code, "Message": IN_AN_ERROR}, "ResponseMetadata": {}}


def _response(status: int) -> AWSResponse:
    return AWSResponse("https://aws.invalid", status, HTTPHeaders(), None)


Manner = Literal["silent", "unaccepting", "stalling", "dripping"]

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 4096\r\n\r\n"


class NeverDone:
    """A server, usable as AWS_ENDPOINT_URL_*, that never finishes an answer until it is closed.

    silent: accepts and says nothing; unaccepting: its backlog is full, so that connecting does not end either;
    stalling: begins an answer and stops; dripping: sends one byte of it a second, so that no read ever times out.
    """

    def __init__(self, manner: Manner) -> None:
        self.connections = 0
        self._manner = manner
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=0 if manner == "unaccepting" else 64)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        if self._manner == "unaccepting":
            self._fill_the_backlog()
        else:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        if self._thread.is_alive():
            self._thread.join(5)
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _fill_the_backlog(self) -> None:
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._listening.getsockname())
            self._sockets.append(filler)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(connection)
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._manner == "stalling":
                connection.sendall(_HEAD + b"{")
            if self._manner == "dripping":
                for byte in _HEAD:
                    connection.sendall(bytes([byte]))
                    if self._over.wait(1):
                        return
