"""Where a connection may go, from what stands in a secret or what DNS answers down to the socket."""

import json
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from flagcast.exchange.request import Request
from flagcast.primitives.network_address import Subnet
from flagcast.tasks.outcomes import Answered, BlockedAddress, Faulty, Unreachable
from flagcast_cli.local.receiver import Receiver
from tests.integration.deliver import sending
from tests.integration.deliver.attempting import attempt
from tests.integration.deliver.harness import Stack
from tests.support.time_limits import PATIENCE

LOOPBACK = (Subnet("127.0.0.0/8"),)
PUBLIC = "93.184.215.14"
PUBLIC_6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that was connected to, or would have been: nothing answers."""
    made: list[str] = []

    def connect(_: socket.socket, address: tuple[Any, ...]) -> None:
        made.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return made


Answers = Callable[..., list[list[Any]]]


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Let DNS answer these, one list after another, the last for ever; returns what was asked."""

    def answer(*answers: Sequence[str]) -> list[list[Any]]:
        left, asked = list(answers), []

        def getaddrinfo(*question: Any, **_: Any) -> list[Any]:
            asked.append(list(question))
            found = left.pop(0) if len(left) > 1 else left[0]
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (each, question[1], 0, 0))
                if ":" in each
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, question[1]))
                for each in found
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answer


BLOCKED = {BlockedAddress}
FAULTY = {Faulty}
# Some resolvers read these as numbers, others look for them in DNS.
BLOCKED_OR_UNKNOWN = {BlockedAddress, Unreachable}

URLS: list[tuple[str, set[Any]]] = [
    # The Lambda runtime API, and other ways to write loopback.
    ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", BLOCKED),
    ("https://127.0.0.1/", BLOCKED),
    ("https://127.255.255.254/", BLOCKED),
    ("https://127.1/", BLOCKED),
    ("https://127.0.1/", BLOCKED),
    ("https://2130706433/", BLOCKED),
    ("https://0x7f000001/", BLOCKED),
    ("https://0x7f.1/", BLOCKED),
    ("https://0X7F.0.0.1/", BLOCKED),
    ("https://0177.0.0.1/", BLOCKED),
    ("https://017700000001/", BLOCKED),
    ("https://00000177.0x0.0.1/", BLOCKED),
    ("https://127.0.0.1./", BLOCKED_OR_UNKNOWN),
    ("https://127.0.0.1:/", BLOCKED),
    ("https://localhost/", BLOCKED),
    ("https://LOCALHOST/", BLOCKED),
    ("https://localhost./", BLOCKED_OR_UNKNOWN),
    ("https://0/", BLOCKED),
    ("https://0.0.0.0/", BLOCKED),
    ("https://[::1]/", BLOCKED),
    ("https://[0:0:0:0:0:0:0:1]/", BLOCKED),
    ("https://[::]/", BLOCKED),
    ("https://[::127.0.0.1]/", BLOCKED),
    ("https://[::ffff:127.0.0.1]/", BLOCKED),
    ("https://[::ffff:7f00:1]/", BLOCKED),
    ("https://[::FFFF:7F00:0001]/", BLOCKED),
    ("https://[64:ff9b::127.0.0.1]/", BLOCKED),
    ("https://[64:ff9b:1::7f00:1]/", BLOCKED),
    ("https://[2002:7f00:1::]/", BLOCKED),
    ("https://[2001:0:7f00:1::80ff:fffe]/", BLOCKED),
    # Metadata services.
    ("http://169.254.169.254/latest/meta-data/", BLOCKED),
    ("http://169.254.170.2/v2/credentials", BLOCKED),
    ("http://2852039166/", BLOCKED),
    ("http://0xa9fea9fe/", BLOCKED),
    ("http://[fd00:ec2::254]/", BLOCKED),
    ("http://[::ffff:169.254.169.254]/", BLOCKED),
    ("http://[64:ff9b::a9fe:a9fe]/", BLOCKED),
    # Networks of one's own, and no one's: every range is in tests/unit/primitives/test_network_address.py.
    ("https://10.0.0.1/", BLOCKED),
    ("https://[fc00::1]/", BLOCKED),
    ("https://[fe80::1]/", BLOCKED_OR_UNKNOWN),
    ("https://255.255.255.255/", BLOCKED),
    ("https://[2001:db8::1]/", BLOCKED),
    # What readers of URLs take for different hosts: more in tests/unit/primitives/test_network_address.py.
    ("https://hooks.example.com@127.0.0.1/", FAULTY),
    ("https://127.0.0.1\\@hooks.example.com/", FAULTY),
    ("https://127.0.0.1#@hooks.example.com/", BLOCKED),
    ("https://127.0.0.1?@hooks.example.com/", BLOCKED),
    ("https://127\u30020\u30020\u30021/", FAULTY),
    ("https://[::1%lo]/", FAULTY),
    ("file:///proc/self/environ", FAULTY),
    ("https://127.0.0.1/\r\nX-Injected: 1", FAULTY),
    # What is no host at all.
    ("https://[::1/", FAULTY),
    ("https://[::ffff:127.0.0.1.1]/", {Unreachable}),
    ("https://127.0.0.1:99999/", {Unreachable}),
    ("https://a..b/", {Unreachable}),
    (f"https://{'a' * 64}.example/", {Unreachable}),
]


@pytest.mark.parametrize(("url", "outcomes"), URLS, ids=[ascii(url)[:60] for url, _ in URLS])
def test_no_url_leads_to_an_address_that_is_not_public(url: str, outcomes: set[Any], connected: list[str]) -> None:
    assert type(attempt(url)) in outcomes
    assert connected == []


DNS = [
    (["127.0.0.1"], []),
    (["::1"], []),
    (["::1", "127.0.0.1"], []),
    (["10.0.0.1", "192.168.0.1", "172.31.255.255"], []),
    (["169.254.169.254"], []),
    (["fe80::1%eth0"], []),
    (["::1%lo"], []),
    (["fe80::1%2"], []),
    (["::ffff:127.0.0.1"], []),
    (["::ffff:93.184.215.14"], []),
    (["64:ff9b::7f00:1"], []),
    (["2002:7f00:1::1"], []),
    (["2606:4700::5efe:7f00:1"], []),
    (["2606:2800:21f:cb07:6820:80da:af6b:8b2c%1"], []),
    (["0.0.0.0"], []),
    # No answer of a resolver's, and never looked up again.
    (["localhost"], []),
    (["127.1"], []),
    (["0x7f.1"], []),
    ([""], []),
    ([PUBLIC], [PUBLIC]),
    ([PUBLIC_6, PUBLIC], [PUBLIC_6, PUBLIC]),
    ([PUBLIC, "127.0.0.1"], [PUBLIC]),
    (["127.0.0.1", PUBLIC], [PUBLIC]),
    (["127.0.0.1", PUBLIC, "::1", PUBLIC_6, "10.0.0.1"], [PUBLIC, PUBLIC_6]),
    (["10.0.0.1"] * 200 + [PUBLIC], [PUBLIC]),
]


@pytest.mark.parametrize(("answers", "tried"), DNS)
def test_what_dns_answers_is_judged_and_the_good_of_it_tried(
    answers: list[str], tried: list[str], dns: Answers, connected: list[str]
) -> None:
    # Passed over, not held against the name: mixing them gains nothing, as no bad one is ever connected to, and
    # a name of two faces goes on working.
    asked = dns(answers)
    outcome = attempt("https://hooks.example.com/")
    assert connected == tried
    assert isinstance(outcome, BlockedAddress) if not tried else outcome == Unreachable("connection")
    assert [each[0] for each in asked] == ["hooks.example.com"]


def test_dns_that_changes_its_mind_after_the_check_changes_nothing(dns: Answers, connected: list[str]) -> None:
    asked = dns([PUBLIC], ["127.0.0.1"])
    assert attempt("https://hooks.example.com/") == Unreachable("connection")
    assert (connected, len(asked)) == ([PUBLIC], 1)
    assert attempt("https://hooks.example.com/") == BlockedAddress("an address in 127.0.0.0/8, loopback")
    assert (connected, len(asked)) == ([PUBLIC], 2)


def test_a_name_without_an_address_is_no_blocked_one(dns: Answers) -> None:
    dns([])
    assert attempt("https://hooks.example.com/") == Unreachable("connection")


def test_a_subnet_that_is_opened_is_open_to_that_destination(dns: Answers, connected: list[str]) -> None:
    dns(["10.1.0.1", "10.2.0.1", "::ffff:10.1.0.2"])
    attempt("https://hooks.example.com/", allow_private=["10.1.0.0/16"])
    assert connected == ["10.1.0.1", "::ffff:10.1.0.2"]


def test_every_range_of_a_blocked_name_is_told_once(dns: Answers) -> None:
    dns(["127.0.0.1", "::1", "127.0.0.2"])
    told = "an address in 127.0.0.0/8, loopback; an address in ::1/128, loopback"
    assert attempt("https://hooks.example.com/") == BlockedAddress(told)


def to(url: str, allowed: tuple[Subnet, ...]) -> Request:
    return Request("POST", url, {}, b"{}", allowed)


def test_a_kept_connection_is_not_used_by_a_destination_that_may_not_make_it() -> None:
    with Receiver() as receiver:
        assert sending.send(to(receiver.url, LOOPBACK), time.monotonic() + PATIENCE) == Answered(200)
        assert isinstance(sending.send(to(receiver.url, ()), time.monotonic() + PATIENCE), BlockedAddress)
        narrower = (Subnet("127.0.0.2/32"),)
        assert isinstance(sending.send(to(receiver.url, narrower), time.monotonic() + PATIENCE), BlockedAddress)
        assert len(receiver.requests()) == 1


def test_a_proxy_of_the_environments_is_none_of_ours(monkeypatch: pytest.MonkeyPatch, connected: list[str]) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")
    attempt(f"http://{PUBLIC}/")
    assert connected == [PUBLIC]


def test_an_event_for_a_blocked_address_becomes_a_dead_letter_that_does_not_tell_the_address(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.secrets.values = {"address": f"{stack.receiver.url}/in"}
    stack.configure({"inward": {"url": "${secret:address}", "allow_http": True, "allow_private": []}})
    stack.put("inward")
    assert stack.deliver() == []
    assert stack.receiver.requests() == []
    assert stack.attributes()["reason"] == "blocked_address"
    assert stack.attributes()["detail"] == "an address in 127.0.0.0/8, loopback"
    (line,) = stack.lines(capfd)
    assert (line["why"], line["reason"], line["outcome"]) == ("BlockedAddress", "blocked_address", "dead_lettered")
    assert "127.0.0.1" not in json.dumps(line)
