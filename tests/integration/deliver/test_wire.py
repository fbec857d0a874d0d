"""What is on the wire, byte for byte: nothing in a secret, an event or the configuration begins a line of it."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from flagcast.primitives.render_failure import RenderFailed
from flagcast.tasks.outcomes import Answered, Faulty
from tests.integration.deliver.attempting import LOOPBACK, attempt
from tests.integration.deliver.raw_server import serving, take
from tests.unit.builders import body

INJECTED = "1\r\nX-Injected: 1"


class Wire:
    """A server that keeps what it is sent."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.url = ""

    def talk(self, connection: socket.socket, over: threading.Event) -> None:
        while (piece := take(connection)) and not over.is_set():
            self.taken.append(piece)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    @property
    def lines(self) -> list[bytes]:
        """The head of the only request."""
        (request,) = self.taken
        return request.partition(b"\r\n\r\n")[0].split(b"\r\n")


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    with serving(made.talk) as made.url:
        yield made


def test_a_request_is_its_lines_and_no_others(wire: Wire) -> None:
    assert attempt(wire.url, **LOOPBACK) == Answered(200)
    assert wire.lines[0] == b"POST /in HTTP/1.1"
    assert sorted(line.partition(b":")[0].lower() for line in wire.lines[1:]) == [
        b"accept-encoding", b"content-length", b"content-type", b"host", b"user-agent", b"webhook-id",
        b"webhook-timestamp",
    ]  # fmt: skip
    assert b"Accept-Encoding: identity" in wire.lines


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/a%0d%0aX-Injected:%201", b"/a%0D%0AX-Injected:%201"),
        ("/a{b}\"<>|^`", b"/a%7Bb%7D%22%3C%3E%7C%5E%60"),
        ("/ü?q=日本", b"/%C3%BC?q=%E6%97%A5%E6%9C%AC"),
        ("/a/../../b/./c", b"/b/c"),
        ("/a#HTTP/1.1", b"/a"),
        ("?q=/ HTTP/1.1".replace(" ", "%20"), b"/in?q=/%20HTTP/1.1"),
    ],
)  # fmt: skip
def test_a_path_is_written_in_ascii_without_a_space(wire: Wire, path: str, written: bytes) -> None:
    url = wire.url + path if path.startswith("?") else wire.url.removesuffix("/in") + path
    assert attempt(url, **LOOPBACK) == Answered(200)
    assert wire.lines[0] == b"POST " + written + b" HTTP/1.1"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\0", "\n ", "\r\n\t"], ids=ascii)
@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ({"url": "{url}?q=${{secret:one}}"}, Faulty),
        ({"url": "{url}", "headers": {"X-Key": "${{secret:one}}"}}, Faulty),
        (
            {"url": "{url}", "headers": {"X-Key": "{{{{ vars.one }}}}"}, "vars": {"one": "${{secret:one}}"}},
            RenderFailed,
        ),
        ({"url": "{url}", "headers": {"X-Key": "{{{{ event.payload.name }}}}"}}, RenderFailed),
    ],
    ids=["url", "header", "variable", "event"],
)
def test_a_line_break_or_nul_is_never_written(wire: Wire, keys: dict[str, Any], outcome: type, end: str) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        return value.format(url=wire.url)

    value = f"1{end}X-Injected: 1"
    made = attempt(value, body(payload={"name": value}), **filled(keys), **LOOPBACK)
    assert isinstance(made, outcome)
    assert wire.taken == []


@pytest.mark.parametrize(
    "name", ["X-A\r\nX-Injected", "X-A:", "X A", "X-A\0", "", "X-Ä", "X-A\n", "Host", "content-LENGTH"]
)
def test_no_header_of_the_configuration_has_a_name_that_is_more_than_one(name: str) -> None:
    with pytest.raises(AssertionError):
        attempt("https://hooks.example.com/", headers={name: "1"})


@pytest.mark.parametrize("content_type", [f"text/plain{INJECTED}", "text/plain\n", "text/plain\0", "text/plän"])
def test_no_content_type_is_more_than_one(content_type: str) -> None:
    with pytest.raises(AssertionError):
        attempt("https://hooks.example.com/", content_type=content_type)
