"""What a connection does that no scripted answer can show: answers before the answer, names, slow readers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from flagcast.core.addresses import Subnet
from flagcast.core.outcomes import Answered, Unreachable
from flagcast.core.rendering import Request
from flagcast.edges import transport
from flagcast_cli.receiver import Receiver
from tests.support.time_limits import HOLD, PATIENCE, ends_within


def request(url: str, body: bytes = b"{}") -> Request:
    return Request("POST", url, {"Content-Type": "application/json"}, body, (Subnet("127.0.0.0/8"),))


@contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection by a function."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/in"
        thread.join()


def test_an_answer_before_the_answer_is_never_taken_for_it() -> None:
    # 102 was taken for the answer, and the 200 that followed for the answer to the next event: its 500 was never read.
    answers = iter([b"102 Processing\r\n\r\nHTTP/1.1 200 OK", b"103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500 No"])

    def talk(connection: socket.socket) -> None:
        for answer in answers:
            while not connection.recv(65_536).endswith(b"{}"):
                pass
            connection.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")

    with serving(talk) as url:
        assert transport.send(request(url), time.monotonic() + PATIENCE) == Answered(200)
        assert transport.send(request(url), time.monotonic() + PATIENCE) == Answered(500)


def test_a_name_that_takes_its_time_ends_the_attempt_by_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    # The system's resolver knows no deadline: the attempt took as long as it did.
    found = threading.Event()

    def slowly(*_: object, **__: object) -> list[object]:
        found.wait(HOLD)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with ends_within(0.5):
        assert transport.send(request("http://slow.example/in"), time.monotonic() + 0.5) == Unreachable("timeout")
    found.set()


def test_a_reader_that_stops_reading_ends_the_attempt_by_its_deadline() -> None:
    told = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(1024)
        told.wait(HOLD)

    with serving(talk) as url:
        with ends_within(1):
            sent = transport.send(request(url, b"x" * 50_000_000), time.monotonic() + 1)
        told.set()
    assert sent == Unreachable("timeout")


@pytest.mark.parametrize(("idle", "connections"), [(1, 1), (11, 2)])
def test_a_connection_is_kept_for_ten_seconds_and_not_trusted_after_an_idle_time(
    monkeypatch: pytest.MonkeyPatch, idle: int, connections: int
) -> None:
    # A function that was frozen found its connections dead, and the attempt that found it out counted as failed.
    made: list[object] = []
    real = socket.socket.connect

    def counted(self: socket.socket, address: tuple[str, int]) -> None:
        made.append(address)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", counted)
    with Receiver() as receiver:
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now)
        assert transport.send(request(receiver.url), now + PATIENCE) == Answered(200)
        now += idle
        assert transport.send(request(receiver.url), now + PATIENCE) == Answered(200)
    assert len(made) == connections
