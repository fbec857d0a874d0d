"""Connections to allowed addresses alone, on which everything ends by the attempt's deadline.

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
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from flagcast.edges.http.deadline import Deadline
from flagcast.edges.http.happy_eyeballs import Address, race
from flagcast.edges.http.response_head import Head, is_short
from flagcast.edges.runtime.bounded_calls import within
from flagcast.primitives.network_address import Subnet, refusal

KEPT_FOR = 10.0
"""Seconds for which a connection that nothing goes over is kept: those of a frozen function die without a word."""


class AddressRefusedError(HTTPError):
    """Raised when a name has addresses, and none that may be connected to."""


class Exchange:
    """One request and its answer, on one connection."""

    def __init__(self, deadline: Deadline, allowed: Sequence[Subnet], *, trusts_kept: bool) -> None:
        """Keep by when it ends, to where it may connect, and whether a kept connection will do."""
        self.deadline = deadline
        self.allowed = allowed
        self.trusts_kept = trusts_kept
        self.is_on_a_kept_connection = False
        self.has_answer = False
        """Whether a byte of an answer has come."""
        self.status: int | None = None
        """The answer's status, once it is known: it decides, whatever becomes of the rest of the answer."""

    @property
    def is_stale(self) -> bool:
        """Return whether the connection may have died while no one used it: it was kept, and gave no byte since."""
        return self.is_on_a_kept_connection and not self.has_answer


# An exchange belongs to the thread that makes it: a kept connection outlives it.
_thread = threading.local()


@contextmanager
def exchanging(at: float, allowed: Sequence[Subnet], *, trusts_kept: bool = True) -> Iterator[Exchange]:
    """Bound what this thread does on its connections: by a time (monotonic seconds), to allowed addresses."""
    with Deadline(at) as deadline:
        _thread.exchange = made = Exchange(deadline, allowed, trusts_kept=trusts_kept)
        try:
            yield made
        finally:
            del _thread.exchange


def _this() -> Exchange:
    current: Exchange = _thread.exchange
    return current


class _FinalResponse(HTTPResponse):
    """The answer itself: those before it (RFC 9110 section 15.2: 100, 102, 103) are read over.

    Taken for the answer, one would leave the real answer on the connection, to be read as the next request's.
    """

    def begin(self) -> None:
        """Read the status and the headers, of which there may be more than http.client takes."""
        reader = self.fp
        try:
            super().begin()
        finally:
            # An answer that is none has been closed.
            if self.fp is not None:
                self.fp = reader

    def _read_status(self) -> tuple[str, int, str]:
        made = _this()
        made.has_answer |= bool(self.fp.peek(1))
        while True:
            # What came before the connection was shut down can still be read, and is megabytes.
            made.deadline.check()
            version, status, reason = super()._read_status()  # type: ignore[misc]  # typeshed does not show it
            head: Any = self.fp if is_short(self.fp.peek(1)) else Head(self.fp, made.deadline)
            if status == HTTPStatus.SWITCHING_PROTOCOLS or status >= HTTPStatus.OK:
                made.status, self.fp = status, head
                return version, status, reason
            parse_headers(head)


class _Connecting(HTTPConnection):
    response_class = _FinalResponse
    kept_since = 0.0
    """When its last answer had been read, in monotonic seconds."""

    def request(self, *arguments: Any, **named: Any) -> None:
        """Send a request, on a connection that is new or was kept."""
        made = _this()
        if self.sock is not None and not made.deadline.has_socket:
            if made.trusts_kept and time.monotonic() - self.kept_since <= KEPT_FOR:
                made.is_on_a_kept_connection = True
                made.deadline.bound(self.sock)
            else:
                # What sends next connects again.
                self.close()
        super().request(*arguments, **named)

    def _new_conn(self) -> socket.socket:
        """Connect to an allowed address.

        The others are passed over, not held against the name: they are never connected to, whatever they are, and a
        name that has a private address besides its public one goes on working.
        """
        made, allowed, refusals = _this(), list[Address](), list[str]()
        for address in self._addresses(made.deadline):
            if (why := refusal(str(address[4][0]), made.allowed)) is None:
                allowed.append(address)
            else:
                refusals.append(why)
        if refusals and not allowed:
            raise AddressRefusedError("; ".join(dict.fromkeys(refusals)))
        try:
            connection = race(allowed, made.deadline)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection by the attempt's deadline") from error
        except OSError as error:
            raise NewConnectionError(self, "no address took the connection") from error
        made.deadline.bound(connection)
        return connection

    def _addresses(self, deadline: Deadline) -> list[Address]:
        """Look the name up; the system's resolver knows no deadline, so it is left behind at ours."""
        host = self._dns_host
        lookup = partial(socket.getaddrinfo, host, self.port, type=socket.SOCK_STREAM)
        (future,) = within(deadline.at, [lookup])
        if not future.done():
            raise ConnectTimeoutError(self, "no address by the attempt's deadline")
        try:
            return list(future.result())
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(host, self, socket.gaierror(*error.args[:2])) from error


class _TLSConnecting(_Connecting, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connecting

    def _put_conn(self, conn: Any) -> None:
        """Keep a connection whose answer was read: another thread may take it before this exchange has ended."""
        if conn is not None:
            conn.kept_since = time.monotonic()
            _this().deadline.release()
        super()._put_conn(conn)


class _TLSPool(_Pool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _TLSConnecting


@cache
def _verifying(ca_file: str | None) -> ssl.SSLContext:
    """Read the authorities once: it takes longer than a connection. A file's stand instead of the system's."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # RFC 9110 section 4.3.4: the common name says nothing of a host. Python's own context goes on asking it.
    context.hostname_checks_common_name = False
    return context


class Adapter(HTTPAdapter):
    """Sends on connections of ours; certificates are always verified, by the authorities of a file if given.

    For all threads of a batch. No retry and no redirect: both are decisions, and a connection's is not to decide.
    """

    def __init__(self, ca_file: str | None = None) -> None:
        """Keep who vouches for servers."""
        self._context = _verifying(ca_file)
        super().__init__(pool_connections=64, pool_maxsize=10)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **named: Any) -> None:
        """Keep connections of ours."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def request_url(self, request: PreparedRequest, _: object) -> str:
        """Return the path: there are no proxies to ask for."""
        return request.path_url

    def build_response(self, _: PreparedRequest, answer: BaseHTTPResponse) -> Response:
        """Return the answer as it came: no cookies are looked for in it."""
        made = Response()
        made.raw = answer
        return made

    def cert_verify(self, *_: Any) -> None:
        """Add no authorities to those of the context, as requests would: certifi's, once more for each connection."""
