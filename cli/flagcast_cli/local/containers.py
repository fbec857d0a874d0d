"""The way from containers to what listens on loopback: open only to the default network of this machine's Docker."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EADDRNOTAVAIL
from ipaddress import IPv4Network, ip_address, ip_network
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any
from weakref import WeakSet

from msgspec import Struct

from flagcast_cli.console import CommandError
from flagcast_cli.local.emulator import HOST

PATIENCE = 20
DESKTOP = "host.docker.internal"
"""The host as Docker Desktop's containers call it, what listens on its loopback included.

https://docs.docker.com/desktop/features/networking/networking-how-tos/#i-want-to-connect-from-a-container-to-a-service-on-the-host
"""

_CHUNK = 65_536


class Bridge(Struct, frozen=True):
    """Docker's default network: its containers' subnet, and the address of the host in it."""

    subnet: IPv4Network
    gateway: str


def bridge() -> Bridge:
    """Ask the engine for its default network; raises CommandError if none answers."""
    without = "Containers need a Docker engine; without them: make dev"
    command = ["docker", "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"]
    try:
        asked = subprocess.run(  # noqa: S603 - our own arguments
            command, capture_output=True, text=True, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise CommandError("there is no docker on the path", without) from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"docker did not answer within {PATIENCE} s", without) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()[-1:]
        raise CommandError("docker does not answer", *said, without) from error
    return read_bridge(asked.stdout)


def read_bridge(described: str) -> Bridge:
    """Read what `docker network inspect` says of a network's addresses; raises CommandError if none is IPv4."""
    for each in json.loads(described) or ():
        subnet = ip_network(each["Subnet"])
        if isinstance(subnet, IPv4Network):
            # An engine may leave the gateway out; it is the first address then.
            return Bridge(subnet, each.get("Gateway") or str(subnet[1]))
    raise CommandError("Docker's default network has no IPv4 addresses")


@contextmanager
def reachable(network: Bridge, port: int, *, at: int = 0) -> Iterator[str]:
    """Let containers reach a port of loopback; yields the address that they use, as http://host:port.

    It listens on the host's address in their network (at a port of its own unless `at` says which), and accepts no one
    whose address is not of that network. Where Docker runs in a virtual machine, as Docker Desktop does, the host has
    no such address and its containers reach loopback by a name. Raises CommandError if it cannot listen.
    """
    forwarder = _listening(network, at, port)
    if forwarder is None:
        yield f"http://{DESKTOP}:{port}"
        return
    # The poll interval is how long it takes to notice that serving is to end.
    thread = threading.Thread(target=forwarder.serve_forever, args=(0.05,), name="forwarder")
    thread.start()
    try:
        yield f"http://{network.gateway}:{forwarder.server_address[1]}"
    finally:
        forwarder.shutdown()
        forwarder.cut_off()
        forwarder.server_close()
        thread.join()


def _listening(network: Bridge, at: int, to: int) -> "_Forwarder | None":
    try:
        return _Forwarder(network, at, to)
    except OSError as error:
        if error.errno == EADDRNOTAVAIL:
            return None
        raise CommandError(f"cannot listen on {network.gateway}:{at} for containers: {error.strerror}") from error


class _Forwarder(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False  # socketserver does not join the threads of daemons.
    request_queue_size = 128

    def __init__(self, network: Bridge, at: int, to: int) -> None:
        self.to = to
        self.connections: WeakSet[socket.socket] = WeakSet()
        self._subnet = network.subnet
        super().__init__((network.gateway, at), _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Return whether it comes from the containers' network: others may have a route to this address, too."""
        self.connections.add(request)
        return ip_address(client_address[0]) in self._subnet

    def cut_off(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseRequestHandler):
    server: _Forwarder

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection((HOST, self.server.to)) as inner:
            self.server.connections.add(inner)
            back = threading.Thread(target=_pass_on, args=(inner, self.request), name="forwarder-back")
            back.start()
            _pass_on(self.request, inner)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side ends, and then the end; what an answer still has to say goes the other way."""
    with suppress(OSError):
        while piece := source.recv(_CHUNK):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
