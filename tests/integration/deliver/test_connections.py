"""What a connection does that no scripted answer can show: answers before the answer, names, slow and dead servers."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from flagcast.edges.http import deadline, transport
from flagcast.edges.http.connection import exchanging
from flagcast.exchange.request import Request
from flagcast.primitives.network_address import Subnet
from flagcast.tasks.outcomes import Answered, Unreachable
from flagcast_cli.local.receiver import Receiver
from tests.integration.deliver import sending
from tests.integration.deliver.authority import Authority, answering
from tests.integration.deliver.raw_server import serving as serving_all
from tests.integration.deliver.raw_server import take
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
        assert sending.send(request(url), time.monotonic() + PATIENCE) == Answered(200)
        assert sending.send(request(url), time.monotonic() + PATIENCE) == Answered(500)


def test_a_name_that_takes_its_time_ends_the_attempt_by_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    # The system's resolver knows no deadline: the attempt took as long as it did.
    found = threading.Event()

    def slowly(*_: object, **__: object) -> list[object]:
        found.wait(HOLD)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with ends_within(0.5):
        assert sending.send(request("http://slow.example/in"), time.monotonic() + 0.5) == Unreachable("timeout")
    found.set()


def test_deadlines_hold_again_after_a_moment_in_which_no_thread_could_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The watchdog was taken to run because it had been made: for as long as the process lived, no deadline held.
    watchdog = deadline._Watchdog()
    monkeypatch.setattr(deadline, "_watchdog", watchdog)

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError):
            deadline.Deadline(time.monotonic() + HOLD).__enter__()
    ours, theirs = socket.socketpair()
    with ours, theirs, ends_within(0.5), deadline.Deadline(time.monotonic() + 0.5) as bounded:
        bounded.bound(ours)
        ours.settimeout(HOLD)
        assert ours.recv(1) == b""
        assert bounded.has_passed


def test_a_reader_that_stops_reading_ends_the_attempt_by_its_deadline() -> None:
    told = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(1024)
        told.wait(HOLD)

    with serving(talk) as url:
        with ends_within(1):
            sent = sending.send(request(url, b"x" * 50_000_000), time.monotonic() + 1)
        told.set()
    assert sent == Unreachable("timeout")


def connects(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what will hold the address of each connection that is made."""
    made: list[object] = []
    real = socket.socket.connect

    def counted(self: socket.socket, address: tuple[str, int]) -> None:
        made.append(address)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", counted)
    return made


@pytest.mark.parametrize(("idle", "connections"), [(1, 1), (11, 2)])
def test_a_connection_is_kept_for_ten_seconds_and_not_trusted_after_an_idle_time(
    monkeypatch: pytest.MonkeyPatch, idle: int, connections: int
) -> None:
    # A function that was frozen found its connections dead, and the attempt that found it out counted as failed.
    made = connects(monkeypatch)
    with Receiver() as receiver:
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now)
        assert sending.send(request(receiver.url), now + PATIENCE) == Answered(200)
        now += idle
        assert sending.send(request(receiver.url), now + PATIENCE) == Answered(200)
    assert len(made) == connections


def test_a_connection_that_nothing_goes_over_is_not_kept_because_others_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All connections counted as used when one was: a destination that is sent to once in ten minutes was given a
    # connection that a gateway on the way had long forgotten, and the attempt took all of its timeout for nothing.
    now = time.monotonic()
    with Receiver() as seldom, Receiver() as often:
        monkeypatch.setattr(time, "monotonic", lambda: now)
        assert sending.send(request(seldom.url), now + PATIENCE) == Answered(200)
        for _ in range(2):
            now += 6
            assert sending.send(request(often.url), now + PATIENCE) == Answered(200)
        made = connects(monkeypatch)
        assert sending.send(request(often.url), now + PATIENCE) == Answered(200)
        assert made == []
        assert sending.send(request(seldom.url), now + PATIENCE) == Answered(200)
        assert len(made) == 1


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Dying:
    """A server that answers so many requests of each connection, then says something when the next comes, and dies."""

    def __init__(
        self, *answered: int, last_words: bytes = b"", ends: Callable[[socket.socket], object] = reset
    ) -> None:
        self.answered = iter(answered)
        self.last_words = last_words
        self.ends = ends
        self.requests: list[bytes] = []
        self.connections = 0

    def talk(self, connection: socket.socket, over: threading.Event) -> None:
        self.connections += 1
        for _ in range(next(self.answered)):
            self.requests.append(take(connection))
            connection.sendall(OK)
        if last := take(connection):
            self.requests.append(last)
            connection.sendall(self.last_words)
            self.ends(connection)


@pytest.mark.parametrize("ends", [reset, socket.socket.close], ids=["reset", "closed"])
def test_a_kept_connection_that_died_meanwhile_is_replaced_and_nothing_is_said_against_the_destination(
    ends: Callable[[socket.socket], None],
) -> None:
    # Node drops an idle connection after five seconds: while the function is frozen it hears nothing of it, and then up
    # to ten attempts failed at once, the circuit opened, and `notify` told of a destination that was well.
    server = Dying(1, 1, ends=ends)
    with serving_all(server.talk) as url:
        assert [sending.send(request(url), time.monotonic() + PATIENCE) for _ in range(2)] == [Answered(200)] * 2
    assert server.connections == 2
    assert len(server.requests) == 3


def test_where_every_kept_connection_died_each_request_gets_a_new_one() -> None:
    both = threading.Barrier(2)
    connections: list[socket.socket] = []

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connections.append(connection)
        take(connection)
        both.wait(PATIENCE)
        connection.sendall(OK)
        if take(connection):
            reset(connection)

    def together() -> list[object]:
        return list(threads.map(lambda _: sending.send(request(url), time.monotonic() + PATIENCE), range(2)))

    with serving_all(talk) as url, ThreadPoolExecutor(2) as threads:
        assert together() == [Answered(200)] * 2
        assert together() == [Answered(200)] * 2
    assert len(connections) == 4


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_that_is_sent_once_more_trusts_no_kept_connection(tmp_path: Path, scheme: str) -> None:
    connections: list[socket.socket] = []
    authority = Authority(tmp_path)
    answers = answering(authority.certificate())

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connections.append(connection)
        if scheme == "https":
            answers(connection, over)
        while scheme == "http" and take(connection):
            connection.sendall(OK)

    with serving_all(talk, scheme) as url:
        made = Request("POST", url, {}, b"{}", (Subnet("127.0.0.0/8"),), str(authority.file))
        for trusts_kept, expected in ((True, 1), (True, 1), (False, 2), (True, 2)):
            outcome, _ = transport._once(made, time.monotonic() + PATIENCE, trusts_kept=trusts_kept)
            assert (sending.without_headers(outcome), len(connections)) == (Answered(200), expected)


def test_a_deadline_that_passes_after_the_answer_was_read_is_not_that_of_the_next_user_of_the_connection() -> None:
    # The answer's last byte gives the connection back, but the watchdog went on watching it until the exchange ended:
    # it shut down the next request, which the receiver was working on, and that was sent a second time.
    received, passed = threading.Semaphore(0), threading.Event()
    requests: list[bytes] = []

    def talk(connection: socket.socket, over: threading.Event) -> None:
        while body := take(connection):
            requests.append(body)
            received.release()
            if len(requests) > 1:
                passed.wait(PATIENCE)
            connection.sendall(OK)

    with (
        serving_all(talk) as url,
        ThreadPoolExecutor(1) as other,
        exchanging(time.monotonic() + HOLD, (Subnet("127.0.0.0/8"),)) as made,
    ):
        adapter = transport._adapter(frozenset({"127.0.0.0/8"}), None)
        with adapter.send(transport._prepared(request(url))).raw as answer:
            assert sending.without_headers(transport._answer(answer, made.deadline)) == Answered(200)
        next_one = other.submit(transport.send, request(url), time.monotonic() + PATIENCE)
        for _ in range(2):
            assert received.acquire(timeout=PATIENCE)
        made.deadline.pass_()
        passed.set()
        assert sending.without_headers(next_one.result()) == Answered(200)
    assert len(requests) == 2


def test_a_request_is_sent_once_more_only_once() -> None:
    server = Dying(1, 0)
    with serving_all(server.talk) as url:
        assert sending.send(request(url), time.monotonic() + PATIENCE) == Answered(200)
        assert sending.send(request(url), time.monotonic() + PATIENCE) == Unreachable("protocol")
    assert (server.connections, len(server.requests)) == (2, 3)


def test_a_new_connection_that_dies_is_the_destinations_own() -> None:
    server = Dying(0)
    with serving_all(server.talk) as url:
        assert sending.send(request(url), time.monotonic() + PATIENCE) == Unreachable("protocol")
    assert len(server.requests) == 1


@pytest.mark.parametrize("beginning", [b"HTT", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_a_request_that_had_the_beginning_of_an_answer_is_not_sent_again(beginning: bytes) -> None:
    server = Dying(1, last_words=beginning)
    with serving_all(server.talk) as url:
        assert sending.send(request(url), time.monotonic() + PATIENCE) == Answered(200)
        assert sending.send(request(url), time.monotonic() + PATIENCE) == Unreachable("protocol")
    assert len(server.requests) == 2


def test_a_kept_connection_that_says_nothing_more_takes_no_longer_than_the_timeout() -> None:
    over = threading.Event()
    server = Dying(1, ends=lambda _: over.wait(HOLD))
    with serving_all(server.talk) as url:
        assert sending.send(request(url), time.monotonic() + PATIENCE) == Answered(200)
        with ends_within(0.5):
            outcome = sending.send(request(url), time.monotonic() + 0.5)
        over.set()
    assert outcome == Unreachable("timeout")
    assert len(server.requests) == 2


@contextmanager
def swallowing() -> Iterator[tuple[str, int]]:
    """Listen at an address that takes no connection and refuses none: the queue of those that wait is full."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield listener.getsockname()
        for each in waiting:
            each.close()


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", each) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_an_address_that_swallows_connections_keeps_no_one_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    # A dead node, or a broken AAAA: the first address had all of the timeout, and the second, which was well, none.
    with swallowing() as dead, Receiver() as receiver:
        well = ("127.0.0.1", int(receiver.url.rpartition(":")[2]))
        resolving(monkeypatch, dead, dead, well)
        assert sending.send(request("http://hooks.example.com/in"), time.monotonic() + PATIENCE) == Answered(200)


def test_where_every_address_swallows_connections_the_attempt_ends_by_its_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with swallowing() as dead:
        resolving(monkeypatch, *[dead] * 50)
        with ends_within(0.6):
            outcome = sending.send(request("http://hooks.example.com/in"), time.monotonic() + 0.6)
    assert outcome == Unreachable("timeout")


@pytest.mark.parametrize("status", [401, 413])
@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_an_answer_that_comes_before_the_body_is_read_is_read(
    tmp_path: Path, highest: ssl.TLSVersion, status: int
) -> None:
    # Four in ten were `protocol` over TLS 1.3. What has arrived is read; those answers had never left their server:
    # they waited behind the session tickets for an acknowledgement (Nagle's algorithm), and a server that closes a
    # connection with bytes unread throws away what waits. A server that sends at once loses none.
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate())
    context.maximum_version = highest

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(100)
            wrapped.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\nno" % status)

    with serving_all(talk, "https") as url:
        made = Request("POST", url, {}, b"x" * 2_000_000, (Subnet("127.0.0.0/8"),), str(authority.file))
        outcomes = [sending.send(made, time.monotonic() + PATIENCE) for _ in range(10)]
    assert outcomes == [Answered(status, excerpt="no")] * 10
