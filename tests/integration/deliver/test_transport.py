import socket
from collections.abc import Iterator

import pytest

from flagcast_cli.local.receiver_script import Action, Answer, Drip, Hang, Huge, Reset
from tests.integration.deliver.harness import Stack
from tests.support.time_limits import HOLD, ends_within


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(stack: Stack, status: int) -> None:
    stack.configure({"moved": {}, "loop": {}})
    stack.receiver.script("/moved", [Answer(status, {"Location": f"{stack.receiver.url}/elsewhere"})])
    stack.receiver.script("/loop", [Answer(status, {"Location": "/loop"})])
    stack.put("moved")
    stack.put("loop")
    assert stack.deliver() == []
    assert sorted(each.path for each in stack.receiver.requests()) == ["/loop", "/moved"]
    assert len(stack.dead_letters()) == 2


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken, so that no one else listens on it, and does not listen itself."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        pytest.param("http://127.0.0.1:{closed}/", "connection", id="refused"),
        pytest.param("http://no-such-host.invalid/", "name", id="dns"),
        pytest.param("https://127.0.0.1:{port}/", "tls", id="tls"),
        pytest.param("http://127.0.0.1:99999/", "address", id="address"),
    ],
)
def test_a_destination_that_cannot_be_reached_is_retried(
    stack: Stack, capfd: pytest.CaptureFixture[str], closed_port: int, url: str, cause: str
) -> None:
    # NewConnectionError and NameResolutionError are ConnectTimeoutErrors too, and were reported as timeouts.
    made = url.replace("{closed}", str(closed_port)).replace("{port}", stack.receiver.url.rpartition(":")[2])
    stack.configure({"ill": {"url": made, "allow_http": True}})
    task = stack.put("ill")
    assert stack.deliver() == [task.id]
    assert stack.delay(task) == 1
    assert [each["cause"] for each in stack.lines(capfd)] == [cause]


@pytest.mark.parametrize(
    ("action", "cause"),
    [(Reset(), "protocol"), (Hang(), "timeout"), (Answer(delay=HOLD), "timeout")],
    ids=["reset", "hang", "late"],
)
def test_an_answer_that_does_not_come_is_retried(
    stack: Stack, capfd: pytest.CaptureFixture[str], action: Action, cause: str
) -> None:
    stack.configure({"ill": {"timeout": "1s"}})
    stack.receiver.script("/ill", [action])
    task = stack.put("ill")
    with ends_within(1):
        assert stack.deliver() == [task.id]
    assert stack.delay(task) == 1
    assert [each["cause"] for each in stack.lines(capfd)] == [cause]


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(Huge(), id="huge"),
        pytest.param(Drip(Answer(body=b"." * 1000), 0.2, head_too=False), id="drip-of-the-body"),
        pytest.param(Answer(headers={"Content-Length": "100"}, body=b"less"), id="shorter-than-it-says"),
    ],
)
def test_an_answer_without_end_is_read_within_bounds(stack: Stack, action: Action) -> None:
    stack.configure({"odd": {"timeout": "1s"}})
    stack.receiver.script("/odd", [action])
    stack.put("odd")
    with ends_within(1):
        assert stack.deliver() == []
    assert stack.waiting() == {}


def test_a_head_that_drips_cannot_hold_the_attempt_past_its_timeout(stack: Stack) -> None:
    # The socket's timeout bounds each read, so that a byte now and then held the attempt for as long as it liked.
    stack.configure({"odd": {"timeout": "1s"}})
    stack.receiver.script("/odd", [Drip(Answer(headers={"X-More": "." * 1000}), 0.1)])
    task = stack.put("odd")
    with ends_within(1):
        assert stack.deliver() == [task.id]
    assert stack.delay(task) == 1
