"""Connections whose every read ends by the attempt's deadline, however slowly the other side answers.

A socket's timeout bounds one read; a server that sends a byte a second renews it with each. So each read here gets
what is left until the deadline, which belongs to the thread that makes the attempt: a kept connection outlives it.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

_attempt = threading.local()


@contextmanager
def ending_by(deadline: float) -> Iterator[None]:
    """Bound everything this thread does on its connections by a deadline (monotonic seconds)."""
    _attempt.deadline = deadline
    try:
        yield
    finally:
        del _attempt.deadline


def _left() -> float:
    left: float = _attempt.deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the attempt's deadline has passed")
    return left


class _Socket(socket.socket):
    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*arguments, **named)


class _TLSSocket(ssl.SSLSocket):
    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*arguments, **named)


class _Connecting(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        """Connect to the first address that takes the connection."""
        host = self._dns_host
        try:
            addresses = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(host, self, socket.gaierror(*error.args[:2])) from error
        refused: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            connection = _Socket(family, kind, protocol)
            try:
                connection.settimeout(_left())
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.connect(address)
            except TimeoutError as error:
                connection.close()
                raise ConnectTimeoutError(self, "no connection by the attempt's deadline") from error
            except OSError as error:
                connection.close()
                refused = error
            else:
                return connection
        raise NewConnectionError(self, "no address took the connection") from refused


class _TLSConnecting(_Connecting, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connecting


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TLSConnecting


def make_pool() -> urllib3.PoolManager:
    """Make the pool that all threads of a batch share; certificates are always verified.

    No retry and no redirect: both are decisions, and a connection's is not to decide.
    """
    context = ssl.create_default_context()
    context.sslsocket_class = _TLSSocket
    pool = urllib3.PoolManager(num_pools=64, maxsize=10, retries=False, ssl_context=context)
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
    return pool
