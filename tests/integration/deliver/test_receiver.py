import socket
import threading
import time

import pytest
import urllib3
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Action, Answer, Drip, Hang, Huge, Reset


def post(receiver: Receiver, path: str = "/", timeout: float = 5) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request("POST", receiver.url + path, body=b"body", headers={"X-One": "1"}, timeout=timeout)


def address(receiver: Receiver) -> tuple[str, int]:
    return "127.0.0.1", int(receiver.url.rpartition(":")[2])


def test_a_script_is_followed_and_its_last_action_repeats(receiver: Receiver) -> None:
    receiver.script("/a", [Answer(500), Answer(503, {"Retry-After": "3"}, b"later"), Answer(201)])
    answers = [post(receiver, "/a") for _ in range(4)]
    assert [each.status for each in answers] == [500, 503, 201, 201]
    assert (answers[1].headers["Retry-After"], answers[1].data) == ("3", b"later")
    assert post(receiver, "/b").status == 200


def test_what_was_received_is_kept_as_it_was_sent(receiver: Receiver) -> None:
    before = time.monotonic()
    post(receiver, "/a?b=c")
    (received,) = receiver.requests("/a?b=c")
    assert (received.path, received.method, received.body, received.answered) == ("/a?b=c", "POST", b"body", 200)
    assert ("X-One", "1") in received.headers
    assert before < received.at < time.monotonic()
    assert receiver.requests("/other") == []


def test_waiting_for_more_than_comes_ends(receiver: Receiver) -> None:
    post(receiver)
    assert len(receiver.wait_for(1)) == 1
    with pytest.raises(TimeoutError, match="1 of 2 requests"):
        receiver.wait_for(2, timeout=0.05)


def test_a_request_is_waited_for_by_what_it_holds(receiver: Receiver) -> None:
    # Bug: tests counted the requests of a marker, then waited for one more of any kind; the last of the marker, come in
    # between, was among those counted by then, and the wait was for one that never came.
    post(receiver)
    post(receiver, "/other")
    assert len(receiver.wait_for(1, "/other", holding=b"bod")) == 1
    assert len(receiver.wait_for(2, holding=b"body")) == 2
    with pytest.raises(TimeoutError, match="0 of 1 requests"):
        receiver.wait_for(1, timeout=0.05, holding=b"nobody")


def test_a_reset_is_a_reset(receiver: Receiver) -> None:
    receiver.script("/", [Reset()])
    with pytest.raises(ProtocolError, match="ConnectionResetError"):
        post(receiver)
    assert receiver.requests()[0].answered is None


def test_an_answer_can_drip(receiver: Receiver) -> None:
    receiver.script("/", [Drip(Answer(200, body=b"four"), interval=0.02)])
    began = time.monotonic()
    assert post(receiver).data == b"four"
    assert time.monotonic() - began > 0.02 * len(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour")


@pytest.mark.parametrize(
    "action", [Hang(), Answer(held="never"), Answer(delay=60), Drip(interval=60), Huge()], ids=repr
)
def test_stopping_leaves_no_thread_whatever_a_request_is_at(action: Action) -> None:
    before = set(threading.enumerate())
    with socket.socket() as client, Receiver() as receiver:
        receiver.script("/", [action])
        client.connect(address(receiver))
        client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n")
        receiver.wait_for(1)
    assert set(threading.enumerate()) <= before


def test_stopping_leaves_no_thread_while_a_connection_is_kept_alive() -> None:
    before = set(threading.enumerate())
    with urllib3.PoolManager(retries=False) as pool, Receiver() as receiver:
        assert pool.request("GET", receiver.url).status == 200
    assert set(threading.enumerate()) <= before


def test_what_is_held_is_answered_when_it_is_released(receiver: Receiver) -> None:
    receiver.script("/", [Answer(204, held="door")])
    with pytest.raises(ReadTimeoutError):
        post(receiver, timeout=0.05)
    receiver.release("door")
    assert post(receiver).status == 204


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with Receiver() as receiver:
        receiver.script("/huge", [Huge()])
        post(receiver)
        with socket.create_connection(address(receiver)) as client:
            client.sendall(b"GET /huge HTTP/1.1\r\n\r\n")
            receiver.wait_for(1, "/huge")
            client.recv(10)
        with socket.create_connection(address(receiver)) as client:
            client.sendall(b"nonsense\r\n\r\n")
            assert client.recv(10)
    assert capfd.readouterr() == ("", "")
