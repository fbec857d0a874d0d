"""The way from containers to loopback is open to their network and to no one else; these need no engine."""

import socket
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from flagcast_cli.console import CommandError
from flagcast_cli.local.containers import Bridge, bridge, reachable, read_bridge
from flagcast_cli.local.receiver import Receiver

# 127.0.0.1 to 127.0.0.3 play the containers' network, and 127.0.0.1 the host in it.
NETWORK = Bridge(IPv4Network("127.0.0.0/30"), "127.0.0.1")
REQUEST = b"POST /in HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"


def ask(url: str, source: str) -> bytes:
    """Send a request from an address, and read to the end of what comes back."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10, source_address=(source, 0)) as connection:
        try:
            connection.sendall(REQUEST)
            return b"".join(iter(lambda: connection.recv(65_536), b""))
        except ConnectionError:
            return b""


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_a_request_from_the_network_reaches_what_listens_on_loopback() -> None:
    with Receiver() as receiver, reachable(NETWORK, port_of(receiver.url)) as url:
        assert url != receiver.url
        assert ask(url, "127.0.0.2").startswith(b"HTTP/1.1 200 ")
        (received,) = receiver.requests()
        assert (received.path, received.body) == ("/in", b"hello")


def test_a_request_from_elsewhere_is_closed_unanswered() -> None:
    with Receiver() as receiver, reachable(NETWORK, port_of(receiver.url)) as url:
        assert ask(url, "127.0.0.4") == b""
        assert ask(url, "127.0.0.3").startswith(b"HTTP/1.1 200 ")
        assert len(receiver.requests()) == 1


def test_a_request_while_nothing_listens_on_loopback_is_closed_and_so_is_the_next() -> None:
    with Receiver() as receiver:
        port = port_of(receiver.url)
    with reachable(NETWORK, port) as url:
        assert ask(url, "127.0.0.2") == b""
        assert ask(url, "127.0.0.2") == b""


def test_nothing_listens_after_it_and_a_connection_that_hangs_is_cut_off() -> None:
    with Receiver() as receiver:
        with reachable(NETWORK, port_of(receiver.url)) as url:
            idle = socket.create_connection(("127.0.0.1", port_of(url)), timeout=10)
            assert ask(url, "127.0.0.2")
        with idle:
            assert idle.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port_of(url)))


def test_a_host_without_an_address_in_the_network_is_reached_by_docker_desktops_name() -> None:
    # 192.0.2.0/24 is no machine's: https://www.rfc-editor.org/rfc/rfc5737
    with reachable(Bridge(IPv4Network("192.0.2.0/24"), "192.0.2.1"), 4566, at=4566) as url:
        assert url == "http://host.docker.internal:4566"


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"127.0.0.1:{port}"), reachable(NETWORK, 1, at=port):
            pass


@pytest.mark.parametrize(
    ("described", "gateway"),
    [
        ('[{"Subnet":"172.17.0.0/16"}]', "172.17.0.1"),
        ('[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.254"}]', "172.17.0.254"),
        ('[{"Subnet":"fd00::/64","Gateway":"fd00::1"},{"Subnet":"172.17.0.0/16"}]', "172.17.0.1"),
    ],
)
def test_the_hosts_address_is_the_networks_gateway(described: str, gateway: str) -> None:
    assert read_bridge(described) == Bridge(IPv4Network("172.17.0.0/16"), gateway)


@pytest.mark.parametrize("described", ["null", "[]", '[{"Subnet":"fd00::/64"}]'])
def test_a_network_without_ipv4_is_an_error(described: str) -> None:
    with pytest.raises(CommandError, match="no IPv4"):
        read_bridge(described)


def test_an_engine_that_is_not_there_is_an_error_that_says_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="no docker on the path"):
        bridge()
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n")
    docker.chmod(0o755)
    with pytest.raises(CommandError, match="does not answer") as failed:
        bridge()
    assert "Cannot connect to the Docker daemon" in failed.value.next_steps
    docker.write_text('#!/bin/sh\necho \'[{"Subnet":"10.9.0.0/24"}]\'\n')
    assert bridge() == Bridge(IPv4Network("10.9.0.0/24"), "10.9.0.1")
