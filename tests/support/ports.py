"""Ports of loopback."""

import socket

from tests.support.http_server import HOST


def free_port() -> int:
    """Return a port that was free a moment ago; who is told a port cannot bind it here."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
