"""Servers that do their worst: each attempt ends by its deadline, and keeps no more than 64 KiB of what was said."""

import gzip
import itertools
import socket
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterable

import pytest

from flagcast.edges.http import transport
from flagcast.exchange.request import Request
from flagcast.primitives.network_address import Subnet
from flagcast.tasks.outcomes import Answered, BlockedAddress, Unreachable
from tests.integration.deliver import sending
from tests.integration.deliver.raw_server import Talk, serving, take
from tests.support.time_limits import HOLD, PATIENCE, ends_within

SECONDS = 1.0
"""Until the deadline of an attempt that only its deadline ends."""
MOST_MEMORY = 16 * 1024 * 1024
"""The head and the answer of which parts are kept, and room around them."""

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TIMEOUT, PROTOCOL, TLS = Unreachable("timeout"), Unreachable("protocol"), Unreachable("tls")


def send(url: str, seconds: float = PATIENCE, body: bytes = b"{}") -> Answered | Unreachable | BlockedAddress:
    made = Request("POST", url, {"Content-Type": "application/json"}, body, (Subnet("127.0.0.0/8"),))
    return sending.send(made, time.monotonic() + seconds)


def says(*pieces: bytes, then: Iterable[bytes] = (), every: float | None = None) -> Talk:
    """Read the request, say the pieces, and then more: at once, or one piece every so many seconds."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        take(connection)
        connection.sendall(b"".join(pieces))
        for piece in then:
            if every is not None:
                over.wait(every)
            if over.is_set():
                return
            connection.sendall(piece)

    return talk


def drips(start: bytes, rest: bytes) -> Talk:
    """Say the start at once, and the rest over and over, a byte at a time."""
    return says(start, then=itertools.cycle(rest[at : at + 1] for at in range(len(rest))), every=0.01)


def floods(start: bytes, rest: bytes) -> Talk:
    """Say the start once, and the rest over and over, as fast as it is read."""
    whole = rest * max(1, 65_536 // len(rest))
    return says(start, then=itertools.repeat(whole))


def numbered(line: str) -> bytes:
    return b"".join(line.format(number).encode() for number in range(1000))


def silent(connection: socket.socket, over: threading.Event) -> None:
    take(connection)
    over.wait(HOLD)


def answers_unread(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(1)
    connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    connection.shutdown(socket.SHUT_WR)
    over.wait(HOLD)


def stops_reading(connection: socket.socket, over: threading.Event) -> None:
    answers_unread(connection, over)


def half_closes(connection: socket.socket, over: threading.Event) -> None:
    take(connection)
    connection.shutdown(socket.SHUT_WR)
    over.wait(HOLD)


def resets(*pieces: bytes) -> Talk:
    """Say the pieces, and reset the connection when they have been read."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        take(connection)
        connection.sendall(b"".join(pieces))
        over.wait(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return talk


def closes(connection: socket.socket, over: threading.Event) -> None:
    take(connection)


ENDLESS: dict[str, tuple[Talk, Answered | Unreachable]] = {
    "silence": (silent, TIMEOUT),
    "drip-of-the-status-line": (drips(b"", b"HTTP/1.1 200 OK"), TIMEOUT),
    "drip-of-headers": (drips(OK, b"X-More: 1\r\n"), TIMEOUT),
    "drip-of-one-header": (drips(OK + b"X-More: ", b"."), TIMEOUT),
    "drip-of-the-body": (drips(OK + b"Content-Length: 9999\r\n\r\n", b"."), Answered(200)),
    "drip-of-a-body-without-length": (drips(OK + b"\r\n", b"."), Answered(200)),
    "drip-of-a-chunk's-size": (drips(CHUNKED, b"0"), Answered(200)),
    "drip-of-chunks": (drips(CHUNKED, b"1\r\n.\r\n"), Answered(200)),
    "drip-of-trailers": (drips(CHUNKED + b"0\r\n", b"X-More: 1\r\n"), Answered(200)),
    "drip-of-100": (drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), TIMEOUT),
    "drip-of-103": (drips(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), TIMEOUT),
    "flood-of-chunks": (floods(CHUNKED, b"1\r\n.\r\n"), Answered(200)),
    "flood-of-chunk-extensions": (floods(CHUNKED, b"1;" + b"x" * 60_000 + b"\r\n.\r\n"), Answered(200)),
    "flood-of-trailers": (floods(CHUNKED + b"0\r\n", b"X-More: 1\r\n"), Answered(200)),
    "flood-of-100": (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), TIMEOUT),
    "flood-of-102": (floods(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), TIMEOUT),
    "flood-of-103": (floods(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), TIMEOUT),
    "answer-to-a-request-that-is-not-read-on": (stops_reading, TIMEOUT),
}
ENDING: dict[str, tuple[Talk, Answered | Unreachable]] = {
    "flood-of-the-status-line": (floods(b"", b"H"), PROTOCOL),
    # The status has been said: 36 posts of one event in a day, and then a dead letter.
    "flood-of-headers": (floods(OK, numbered("X-{}: 1\r\n")), Answered(200)),
    "flood-of-long-headers": (floods(OK, b"X-More: " + b"." * 60_000 + b"\r\n"), Answered(200)),
    "flood-of-one-header": (floods(OK + b"X-More: ", b"."), Answered(200)),
    "flood-of-one-header-in-lines": (floods(OK + b"X-More: 1\r\n", b" ." * 30_000 + b"\r\n"), Answered(200)),
    "flood-of-lengths": (floods(OK, b"Content-Length: 2\r\n"), Answered(200)),
    "another-version": (says(b"HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nab"), Answered(200)),
    "reset-in-the-headers": (resets(OK, b"X-Mo"), Answered(200)),
    "flood-of-the-body": (floods(OK + b"\r\n", b"."), Answered(200)),
    "flood-of-a-chunk's-size": (floods(CHUNKED, b"0"), Answered(200)),
    "flood-of-one-chunk": (floods(CHUNKED + b"FFFFFFFFFFFFFFFFFFFF\r\n", b"."), Answered(200)),
    "flood-of-a-negative-chunk": (floods(CHUNKED + b"-1\r\n", b"."), Answered(200)),
    # It was read past what was asked for.
    "a-long-chunk-of-negative-size": (says(CHUNKED, b"-1\r\n", b"." * 300_000), Answered(200)),
    "hints-with-too-many-headers": (floods(b"HTTP/1.1 103 Early Hints\r\n", numbered("X-{}: 1\r\n")), PROTOCOL),
    "another-protocol": (says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n..."), Answered(101)),
    "answer-before-the-request-is-read": (answers_unread, Answered(413, excerpt="no")),
    "half-closed": (half_closes, PROTOCOL),
    "closed": (closes, PROTOCOL),
    "closed-in-the-status-line": (says(b"HTTP/1.1 2"), PROTOCOL),
    "closed-in-the-headers": (says(OK, b"X-Mo"), Answered(200)),
    "closed-in-the-body": (says(OK, b"Content-Length: 9\r\n\r\nless"), Answered(200, excerpt="less")),
    "closed-in-a-chunk": (says(CHUNKED, b"9\r\nless"), Answered(200, excerpt="less")),
    "no-headers": (says(OK, b"\r\n"), Answered(200)),
    "garbage": (says(bytes(range(256)) * 40), PROTOCOL),
    "nothing-but-line-breaks": (floods(b"", b"\r\n"), PROTOCOL),
    "http-0.9": (says(b"<html>hello</html>"), PROTOCOL),
    "http-2": (says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), PROTOCOL),
    "http-2-settings": (says(b"\0\0\0\x04\0\0\0\0\0"), PROTOCOL),
    "no-status": (says(b"HTTP/1.1 \r\n\r\n"), PROTOCOL),
    "a-status-of-two-digits": (says(b"HTTP/1.1 20 OK\r\n\r\n"), PROTOCOL),
    "a-status-of-five-digits": (says(b"HTTP/1.1 20000 OK\r\n\r\n"), PROTOCOL),
    "a-negative-status": (says(b"HTTP/1.1 -200 OK\r\n\r\n"), PROTOCOL),
    "two-lengths": (says(OK, b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), Answered(200)),
    "a-negative-length": (says(OK, b"Content-Length: -1\r\n\r\nab"), Answered(200, excerpt="ab")),
    "a-length-of-5000-digits": (says(OK, b"Content-Length: ", b"9" * 5000, b"\r\n\r\nab"), Answered(200, excerpt="ab")),
    "a-chunk-size-that-is-none": (says(CHUNKED, b"none\r\n"), Answered(200)),
    "a-charset-that-is-none": (says(OK, b"Content-Type: a; charset=\xff\r\n\r\n\xff"), Answered(200, excerpt="\ufffd")),
}


def attempt(talk: Talk, outcome: Answered | Unreachable, seconds: float) -> None:
    """Send to a server: nothing but the outcome may come of it, in little memory."""
    with serving(talk) as url:
        tracemalloc.start()
        answer = send(url, seconds, body=b"x" * 8_000_000 if talk is stops_reading else b"{}")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < MOST_MEMORY
    if isinstance(answer, Answered) and isinstance(outcome, Answered):
        assert len(answer.excerpt) <= transport.LONGEST_ANSWER
        assert answer.excerpt.startswith(outcome.excerpt)
        answer, outcome = Answered(answer.status), Answered(outcome.status)
    assert answer == outcome


@pytest.mark.parametrize(("talk", "outcome"), ENDLESS.values(), ids=ENDLESS)
def test_an_attempt_on_a_server_without_end_ends_by_its_deadline_and_within_its_memory(
    talk: Talk, outcome: Answered | Unreachable
) -> None:
    with ends_within(SECONDS):
        attempt(talk, outcome, SECONDS)


@pytest.mark.parametrize(("talk", "outcome"), ENDING.values(), ids=ENDING)
def test_an_attempt_on_any_other_server_ends_with_its_answer_or_its_fault_and_within_its_memory(
    talk: Talk, outcome: Answered | Unreachable
) -> None:
    attempt(talk, outcome, PATIENCE)


MANY = numbered("X-{}: 1\r\n")
LONG = b"X-Long: " + b"." * 100_000 + b"\r\n"


NOT_READ_ON: dict[str, bytes] = {
    "many": MANY,
    "long": LONG,
    "no-colon": b"no colon here\r\n",
    "blanks-in-a-name": b"X Powered By: us\r\n",
    "a-blank-behind-a-name": b"Date : today\r\n",
    "letters-in-no-name": b"X-\xc3\xa9: 1\r\n",
    "no-name": b": 1\r\n",
    "a-carriage-return": b"X-More: one\rtwo\r\n",
    "a-carriage-return-in-what-goes-on": b"X-More: one\r\n\ttwo\rthree\r\n",
}


@pytest.mark.parametrize("more", NOT_READ_ON.values(), ids=NOT_READ_ON)
@pytest.mark.parametrize(
    ("status", "retry_after", "excerpt"), [(200, None, "ok"), (410, None, "ok"), (429, 30.0, "ok")]
)
def test_an_answer_behind_more_headers_than_anyone_needs_is_read_like_any_other(
    more: bytes, status: int, retry_after: float | None, excerpt: str
) -> None:
    # More than 100 header lines, or one of more than 64 KiB, made `protocol` of any answer: of a 200, which was posted
    # again and again and became a dead letter, of a 410, and of a 429 whose Retry-After no one read. What was behind a
    # line without a colon was not read either, so the answer had no length, and the attempt took all of its timeout;
    # nor was what was behind a name that no header has, or a carriage return.
    asks = b"Retry-After: 30\r\n" if retry_after else b""
    head = b"HTTP/1.1 %d So\r\n" % status + more + asks + b"Content-Length: 2\r\n\r\nok"

    def talk(connection: socket.socket, over: threading.Event) -> None:
        while take(connection):
            connection.sendall(head)

    with serving(talk) as url:
        # The second is sent on the connection of the first, which was read to its end.
        assert [send(url) for _ in range(2)] == [Answered(status, retry_after, excerpt)] * 2


def test_blanks_behind_a_header_are_no_part_of_it() -> None:
    # "chunked " was no encoding: the sizes of the chunks were read as a part of the answer, until the deadline.
    chunked = OK + b"Transfer-Encoding: chunked \t\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    with serving(says(chunked, then=[b""], every=HOLD)) as url:
        assert send(url) == Answered(200, excerpt="ok")


@pytest.mark.parametrize("more", [MANY, LONG], ids=["many", "long"])
@pytest.mark.parametrize("status", [100, 103])
def test_an_answer_behind_hints_with_more_headers_than_anyone_needs_is_read(status: int, more: bytes) -> None:
    head = b"HTTP/1.1 %d Hint\r\n" % status + more + b"\r\n" + OK + b"Content-Length: 2\r\n\r\nok"
    with serving(says(head)) as url:
        assert send(url) == Answered(200, excerpt="ok")


def hello(connection: socket.socket, *pieces: bytes, over: threading.Event, every: float) -> None:
    connection.recv(65_536)
    for piece in pieces:
        connection.sendall(piece)
        over.wait(every)


def drips_a_handshake(connection: socket.socket, over: threading.Event) -> None:
    record = b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb\x03\x03" + b"." * 9_000
    hello(connection, *(record[at : at + 1] for at in range(len(record))), over=over, every=0.01)


def drips_warnings(connection: socket.socket, over: threading.Event) -> None:
    hello(connection, *[b"\x15\x03\x03\x00\x02\x01\x5a"] * 9_000, over=over, every=0.01)


def floods_records(record: bytes) -> Talk:
    """Say one record over and over, before the handshake, as fast as it is read."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        while not over.is_set():
            connection.sendall(record * 5000)

    return talk


HELLO_REQUEST = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"
CHANGE_CIPHER_SPEC = b"\x14\x03\x03\x00\x01\x01"


def no_handshake(connection: socket.socket, over: threading.Event) -> None:
    over.wait(HOLD)


@pytest.mark.parametrize(
    ("talk", "outcomes"),
    [
        pytest.param(drips_a_handshake, [TIMEOUT], id="drip"),
        # OpenSSL bears a few of them.
        pytest.param(drips_warnings, [TIMEOUT, TLS], id="warnings"),
        # OpenSSL reads on and on in C and looks at no timeout: with a deadline of 2 s, `send` returned after 50 s.
        pytest.param(floods_records(HELLO_REQUEST), [TIMEOUT], id="flood-of-hello-requests"),
        pytest.param(floods_records(CHANGE_CIPHER_SPEC), [TIMEOUT, TLS], id="flood-of-change-cipher-specs"),
        pytest.param(floods_records(b"\x16\x03\x03\x00\x00"), [TIMEOUT, TLS], id="flood-of-empty-records"),
        pytest.param(no_handshake, [TIMEOUT], id="silence"),
        pytest.param(lambda connection, over: hello(connection, OK, over=over, every=0), [TLS], id="plain-http"),
        pytest.param(lambda connection, over: hello(connection, over=over, every=0), [TLS], id="closed"),
        pytest.param(lambda connection, over: hello(connection, b"\xff" * 99, over=over, every=0), [TLS], id="garbage"),
    ],
)
def test_a_handshake_ends_by_the_deadline(talk: Talk, outcomes: list[Unreachable]) -> None:
    with serving(talk, "https") as url, ends_within(SECONDS):
        assert send(url, SECONDS if TIMEOUT in outcomes else PATIENCE) in outcomes


def packed(encoding: bytes, body: bytes) -> Talk:
    return says(OK, b"Content-Encoding: ", encoding, b"\r\nContent-Length: %d\r\n\r\n" % len(body), body)


@pytest.mark.parametrize(
    ("encoding", "body", "excerpt"),
    [
        (b"gzip", gzip.compress(b"no such hook"), "no such hook"),
        (b" GZIP ", gzip.compress(b"no such hook"), "no such hook"),
        (b"x-gzip", gzip.compress(b"no such hook"), "no such hook"),
        (b"deflate", zlib.compress(b"no such hook"), "no such hook"),
        # What some take "deflate" to mean.
        (b"deflate", zlib.compress(b"no such hook", wbits=-15), "no such hook"),
        (b"gzip, deflate", zlib.compress(gzip.compress(b"no such hook")), "no such hook"),
        (b"gzip", gzip.compress(b"\xef\xbb\xbfno such hook"), "no such hook"),
        (b"gzip", gzip.compress(b"no such hook")[:-8], "no such hook"),
        (b"gzip", b"no such hook", "no such hook"),
        (b"gzip", b"", ""),
        (b"br", b"\x8b", "\ufffd"),
        (b"gzip, gzip", b"two", "two"),
        (b"identity", b"no such hook", "no such hook"),
    ],
    # What gzip writes holds the time.
    ids=map(str, range(13)),
)
def test_an_answer_that_comes_packed_unasked_can_be_read(encoding: bytes, body: bytes, excerpt: str) -> None:
    with serving(packed(encoding, body)) as url:
        assert send(url) == Answered(200, excerpt=excerpt)


def test_a_packed_answer_is_unpacked_only_to_what_is_kept_of_one() -> None:
    bomb = gzip.compress(bytes(60_000_000))
    assert len(bomb) < transport.LONGEST_ANSWER
    with serving(packed(b"gzip", bomb)) as url:
        tracemalloc.start()
        answer = send(url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert answer == Answered(200, excerpt="\0" * transport.LONGEST_ANSWER)
    assert peak < 2_000_000


@pytest.mark.parametrize(
    "value",
    [
        "9" * 60_000,
        "-1",
        "0x10",
        "١٢",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Fri, 99 Dec 2026 99:99:99 GMT",
        ",",
        "0 " * 9999,
    ],
)
def test_a_retry_after_that_is_no_time_to_wait_stops_nothing(value: str) -> None:
    head = [b"HTTP/1.1 503 No\r\nRetry-After: ", value.encode(), b"\r\nContent-Length: 0\r\n\r\n"]
    with serving(says(*head)) as url:
        answer = send(url)
    assert isinstance(answer, Answered)
    assert answer.status == 503
    assert answer.retry_after is None or answer.retry_after > 0


def test_what_a_server_says_after_its_answer_is_never_the_next_answer() -> None:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        while take(connection) and not over.is_set():
            connection.sendall(OK + b"Content-Length: 0\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")

    with serving(talk) as url:
        assert [send(url) for _ in range(3)] == [Answered(200)] * 3
