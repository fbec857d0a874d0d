"""Connections to allowed addresses alone, on which everything ends by the attempt's deadline.

A socket's timeout bounds one call; a server that sends a byte a second renews it with each. So each call here gets
what is left until the deadline, which belongs to the thread that makes the attempt: a kept connection outlives it.
An address is judged when it is connected to: the resolver is asked once, and nothing else is ever connected to.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from http import HTTPStatus
from http.client import HTTPResponse, parse_headers
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from flagcast.core.addresses import Subnet, refusal
from flagcast.edges.within import finished, within

_attempt = threading.local()


class AddressRefusedError(HTTPError):
    """Raised when a name has addresses, and none that may be connected to."""


@contextmanager
def bounded(deadline: float, allowed: Sequence[Subnet]) -> Iterator[None]:
    """Bound what this thread does on its connections: by a deadline (monotonic seconds), to allowed addresses."""
    _attempt.deadline, _attempt.allowed = deadline, allowed
    try:
        yield
    finally:
        del _attempt.deadline, _attempt.allowed


def _left() -> float:
    left: float = _attempt.deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the attempt's deadline has passed")
    return left


class _Socket(socket.socket):
    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*arguments, **named)

    def sendall(self, *arguments: Any) -> None:
        self.settimeout(_left())
        super().sendall(*arguments)


class _TLSSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        self.settimeout(_left())
        super().do_handshake(block)

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*arguments, **named)

    def send(self, *arguments: Any) -> int:
        self.settimeout(_left())
        return super().send(*arguments)


class _FinalResponse(HTTPResponse):
    """The answer itself: those before it (RFC 9110 section 15.2: 102, 103) are read over, as http.client does with 100.

    Taken for the answer, one would leave the real answer on the connection, to be read as the next request's.
    """

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]  # typeshed does not show it
            if status in (HTTPStatus.CONTINUE, HTTPStatus.SWITCHING_PROTOCOLS) or status >= HTTPStatus.OK:
                return version, status, reason
            parse_headers(self.fp)


class _Connecting(HTTPConnection):
    response_class = _FinalResponse

    def _new_conn(self) -> socket.socket:
        """Connect to the first allowed address that takes the connection.

        The others are passed over, not held against the name: they are never connected to, whatever they are, and a
        name that has a private address besides its public one goes on working.
        """
        refused: OSError | None = None
        refusals: list[str] = []
        for family, kind, protocol, _, address in self._addresses():
            if (why := refusal(str(address[0]), _attempt.allowed)) is not None:
                refusals.append(why)
                continue
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
        if refusals and refused is None:
            raise AddressRefusedError("; ".join(dict.fromkeys(refusals)))
        raise NewConnectionError(self, "no address took the connection") from refused

    def _addresses(self) -> list[tuple[Any, ...]]:
        """Look the name up; the system's resolver knows no deadline, so it is left behind at ours."""
        host = self._dns_host
        lookup = partial(socket.getaddrinfo, host, self.port, type=socket.SOCK_STREAM)
        (future,) = within(_attempt.deadline, [lookup])
        if not finished(future):
            raise ConnectTimeoutError(self, "no address by the attempt's deadline")
        try:
            return list(future.result())
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(host, self, socket.gaierror(*error.args[:2])) from error


class _TLSConnecting(_Connecting, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connecting


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TLSConnecting


@cache
def _verifying(ca_file: str | None) -> ssl.SSLContext:
    """Read the authorities once: it takes longer than a connection. A file's stand instead of the system's."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TLSSocket
    return context


def make_pool(ca_file: str | None = None) -> urllib3.PoolManager:
    """Make a pool for all threads of a batch; certificates are always verified, by the authorities of a file if given.

    No retry and no redirect: both are decisions, and a connection's is not to decide.
    """
    pool = urllib3.PoolManager(num_pools=64, maxsize=10, retries=False, ssl_context=_verifying(ca_file))
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
    return pool
