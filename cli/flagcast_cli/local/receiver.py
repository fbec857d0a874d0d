"""An HTTP receiver that stands for destinations: it keeps what it is sent, and answers by a script or not at all."""

import socket
import struct
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Self, assert_never
from weakref import WeakSet

from msgspec import structs

from flagcast_cli.local.receiver_script import Action, Answer, Drip, Hang, Huge, Received, Reset

_RST_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time
_WITHOUT_LENGTH = frozenset({204, 304})
_CHUNK = b"." * 65_536


class Receiver:
    """Serves from entering its context to leaving it, on a port of its own of the loopback address."""

    def __init__(self) -> None:
        """Prepare to answer 200 on every path that has no script."""
        self._changed = threading.Condition()
        self._received: list[Received] = []
        self._scripts: dict[str, list[Action]] = {}
        self._released: set[str] = set()
        self._stopping = False

    def __enter__(self) -> Self:
        """Bind a free port and begin to serve."""
        self._server = _Server(self)
        # The poll interval is how long it takes to notice that serving is to end.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="receiver")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop: what hangs is cut off, and every thread has ended on return."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.cut_off()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Return the address without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def script(self, path: str, actions: Sequence[Action]) -> None:
        """Say what to do with each request to a path, from now on; the last action repeats."""
        with self._changed:
            self._scripts[path] = list(actions)

    def release(self, name: str) -> None:
        """Let the requests that are held by this name be answered, now and from now on."""
        with self._changed:
            self._released.add(name)
            self._changed.notify_all()

    def requests(self, path: str | None = None, holding: bytes = b"") -> list[Received]:
        """Return what has been received, in that order: on a path, and with these bytes in the body."""
        with self._changed:
            return [each for each in self._received if path in (None, each.path) and holding in each.body]

    def wait_for(
        self, count: int, path: str | None = None, timeout: float = 10, holding: bytes = b""
    ) -> list[Received]:
        """Wait until so many such requests have arrived, answered or not; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests(path, holding)) >= count, timeout):
                raise TimeoutError(f"{len(self.requests(path, holding))} of {count} requests after {timeout:g} s")
            return self.requests(path, holding)

    def take(self, request: Received) -> tuple[int, Action]:
        """Keep a request; returns its place, and what to do with it."""
        with self._changed:
            self._received.append(request)
            self._changed.notify_all()
            script = self._scripts.get(request.path) or [Answer()]
            return len(self._received) - 1, script.pop(0) if len(script) > 1 else script[0]

    def answered(self, place: int, status: int) -> None:
        """Note the status of the answer to a request."""
        with self._changed:
            self._received[place] = structs.replace(self._received[place], answered=status)

    def pause(self, seconds: float | None = None, held: str | None = None) -> bool:
        """Wait for a time, or without end for a release; returns whether the receiver still serves."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or held in self._released, seconds)
            return not self._stopping


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # socketserver does not join the threads of daemons.
    request_queue_size = 128

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self._connections: WeakSet[socket.socket] = WeakSet()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer would ask DNS for a name.

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(error := sys.exception(), OSError) and error is not None:
            raise error

    def cut_off(self) -> None:
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Received(self.path, self.command, tuple(self.headers.items()), body, time.monotonic())
        self.place, action = self.server.receiver.take(request)
        self.close_connection = not self.act(action) or self.close_connection

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = take  # noqa: N815 - http.server looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        pass

    def act(self, action: Action) -> bool:
        """Do what the script says; returns whether the connection can be used again."""
        pause = self.server.receiver.pause
        match action:
            case Answer(status, _, body, delay, held):
                return pause(None if held else delay, held) and self.send(status, self.head(action) + body)
            case Hang():
                return pause()
            case Reset():
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
                # Closed by its number: the files that were made of the socket would keep it open.
                socket.close(self.connection.detach())
                return False
            case Drip(answer, interval, head_too):
                whole = self.head(answer) + answer.body
                first = 0 if head_too else len(whole) - len(answer.body)
                self.send(answer.status, whole[:first])
                return all(
                    pause(interval) and self.send(answer.status, whole[at : at + 1]) for at in range(first, len(whole))
                )
            case Huge():
                more = self.send(200, b"HTTP/1.1 200 OK\r\n\r\n")
                while more:
                    more = self.send(200, _CHUNK)
                return False
        assert_never(action)

    def head(self, answer: Answer) -> bytes:
        length = {} if answer.status in _WITHOUT_LENGTH else {"Content-Length": str(len(answer.body))}
        headers = "".join(f"{name}: {value}\r\n" for name, value in {**length, **answer.headers}.items())
        return f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}\r\n{headers}\r\n".encode()

    def send(self, status: int, piece: bytes) -> bool:
        self.server.receiver.answered(self.place, status)
        try:
            self.wfile.write(piece)
        except OSError:
            return False
        return True
