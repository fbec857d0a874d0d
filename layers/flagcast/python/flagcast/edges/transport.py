"""HTTP to destinations: the only client there is."""

import time
import zlib
from datetime import UTC
from email.utils import parsedate_to_datetime

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from flagcast import __version__
from flagcast.core.outcomes import Answered, BlockedAddress, Unreachable
from flagcast.core.rendering import Request
from flagcast.edges.connection import AddressRefusedError, bounded, make_pool

LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read, and that are made of one that came compressed."""
KEPT_FOR = 10.0
"""Seconds for which a connection that nothing goes over is kept."""
USER_AGENT = f"Flagcast/{__version__}"
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def send(request: Request, deadline: float) -> Answered | Unreachable | BlockedAddress:
    """Send a request and read what comes back, until the deadline (monotonic seconds)."""
    try:
        with bounded(deadline, request.allow_private):
            return _exchange(request, deadline)
    except AddressRefusedError as error:
        return BlockedAddress(str(error))
    except NameResolutionError:
        return Unreachable("name")
    except NewConnectionError:
        return Unreachable("connection")
    except (TimeoutError, ConnectTimeoutError, ReadTimeoutError):
        return Unreachable("timeout")
    except SSLError:
        return Unreachable("tls")
    except LocationValueError:
        return Unreachable("address")
    except ProtocolError as error:
        # A request that could not be written by the deadline ends here, with what stopped it as its last argument.
        return Unreachable("timeout" if isinstance(error.args[-1], TimeoutError) else "protocol")
    except HTTPError:
        return Unreachable("protocol")


class _Connections:
    """The pools that all threads share, new ones after an idle time.

    While a function is frozen its kept connections die without a word. The old pools are left to whoever still uses
    them. A kept connection was checked by what its destination allows, so only one that allows the same may use it.
    """

    def __init__(self) -> None:
        self._pools: dict[tuple[frozenset[str], str | None], urllib3.PoolManager] = {}
        self._used = 0.0

    def pool(self, request: Request) -> urllib3.PoolManager:
        now = time.monotonic()
        if now - self._used > KEPT_FOR:
            self._pools = {}
        self._used = now
        key = frozenset(request.allow_private), request.ca_file
        # Another thread may have made one meanwhile: whichever is first stays.
        return self._pools.get(key) or self._pools.setdefault(key, make_pool(request.ca_file))


_connections = _Connections()


def _exchange(request: Request, deadline: float) -> Answered | Unreachable:
    left = deadline - time.monotonic()
    if left <= 0:
        return Unreachable("timeout")
    response = _connections.pool(request).request(
        request.method,
        request.url,
        body=request.body,
        # http.client writes text as Latin-1; UTF-8 bytes dressed as Latin-1 arrive as UTF-8.
        headers={"User-Agent": USER_AGENT, **{name: _as_latin(value) for name, value in request.headers.items()}},
        timeout=urllib3.Timeout(total=left),
        redirect=False,
        preload_content=False,
        decode_content=False,
    )
    try:
        encoding, read = response.headers.get("Content-Encoding", ""), _read(response)
        excerpt = _decoded(read, encoding).decode(errors="replace")
        return Answered(response.status, _retry_after(response.headers.get("Retry-After")), excerpt)
    finally:
        # An answer read to its end has given its connection back already; any other takes its connection with it.
        response.close()


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    """Read the first part of an answer; what is not there by the deadline is done without."""
    read = b""
    try:
        while len(read) < LONGEST_ANSWER:
            if not (chunk := response.read1(LONGEST_ANSWER - len(read))):
                break
            read += chunk
    except (TimeoutError, HTTPError):
        # The status has arrived and it decides; a body cut short only shortens what people see of it.
        pass
    # A chunk that says it is smaller than nothing is read past what was asked for.
    return read[:LONGEST_ANSWER]


def _decoded(read: bytes, encoding: str) -> bytes:
    """Unpack an answer that comes compressed though nobody asked for it, so that people can read it."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return read
    try:
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(read, LONGEST_ANSWER)
    except zlib.error:
        return read


def _retry_after(value: str | None) -> float | None:
    """Read a Retry-After (RFC 9110 section 10.2.3): seconds, or the date until which to wait."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        return max((until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - time.time(), 0)
    except (ValueError, OverflowError):
        # Not a date, or one that no clock reaches.
        return None


def _as_latin(value: str) -> str:
    return value.encode().decode("latin-1")
