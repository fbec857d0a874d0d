"""HTTP to destinations: the only client there is."""

import time
import zlib
from contextlib import suppress
from functools import cache
from typing import Literal

from requests import ConnectionError as NoConnection
from requests import PreparedRequest, RequestException, Timeout
from requests.exceptions import InvalidURL, SSLError
from requests.structures import CaseInsensitiveDict
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, MaxRetryError, NameResolutionError

from flagcast import __version__
from flagcast.edges.http.connection import Adapter, AddressRefusedError, exchanging
from flagcast.edges.http.deadline import Deadline
from flagcast.exchange.request import Request
from flagcast.exchange.response import text_of
from flagcast.exchange.retry_after import read_retry_after
from flagcast.tasks.outcomes import Answered, BlockedAddress, Unreachable

LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read, and that are made of one that came compressed."""
USER_AGENT = f"Flagcast/{__version__}"
_GZIP_OR_ZLIB, _RAW = 32 + zlib.MAX_WBITS, -zlib.MAX_WBITS


def send(request: Request, deadline: float) -> Answered | Unreachable | BlockedAddress:
    """Send a request and read what comes back, until the deadline (monotonic seconds).

    A kept connection may have died while the function was frozen; that says nothing about the destination, so the
    request is sent once more, on a new one.
    """
    outcome, was_stale = _once(request, deadline)
    if was_stale:
        outcome, _ = _once(request, deadline, trusts_kept=False)
    return outcome


@cache
def _adapter(allowed: frozenset[str], ca_file: str | None) -> Adapter:
    """Return the kept connections of those destinations that allow the same, which all threads share.

    A kept connection was checked by what its destination allows, so only one that allows the same may use it.
    """
    return Adapter(ca_file)


def _once(
    request: Request, deadline: float, *, trusts_kept: bool = True
) -> tuple[Answered | Unreachable | BlockedAddress, bool]:
    """Send a request once; returns, too, whether it failed because its connection was kept and may have died before."""
    if deadline <= time.monotonic():
        return Unreachable("timeout"), False
    with exchanging(deadline, request.allow_private, trusts_kept=trusts_kept) as made:
        try:
            response = _adapter(frozenset(request.allow_private), request.ca_file).send(_prepared(request)).raw
            with response:
                if made.deadline.has_passed:
                    return Unreachable("timeout"), False
                return _answer(response, made.deadline), False
        except AddressRefusedError as error:
            return BlockedAddress(str(error)), False
        except (RequestException, HTTPError) as error:
            if made.deadline.has_passed:
                return Unreachable("timeout"), made.is_stale
            # The destination has said what became of the request, whatever is wrong with the rest of its answer.
            if made.status is not None:
                return Answered(made.status), False
            return Unreachable(_cause(error)), made.is_stale


def _prepared(request: Request) -> PreparedRequest:
    """Make the request that is sent, as it is: `prepare` would look for cookies, and for a password in the address."""
    made = PreparedRequest()
    made.prepare_method(request.method)
    made.prepare_url(request.url, None)
    # http.client writes text as Latin-1; UTF-8 bytes dressed as Latin-1 arrive as UTF-8.
    headers = {name: _as_latin(value) for name, value in request.headers.items()}
    made.headers = CaseInsensitiveDict({"User-Agent": USER_AGENT, **headers, "Content-Length": str(len(request.body))})
    made.body = request.body
    return made


def _cause(error: Exception) -> Literal["name", "connection", "tls", "timeout", "address", "protocol"]:
    match error:
        case SSLError():
            return "tls"
        case Timeout():
            return "timeout"
        case InvalidURL():
            return "address"
        case NoConnection(args=[MaxRetryError(reason=NameResolutionError())]):
            return "name"
        case NoConnection(args=[MaxRetryError()]):
            return "connection"
        case _:
            return "protocol"


def _answer(response: BaseHTTPResponse, deadline: Deadline) -> Answered:
    headers = response.headers
    unpacked = _unpacked(_read(response, deadline), headers.get("Content-Encoding", ""))
    asked = headers.get("Retry-After")
    retry_after = None if asked is None else read_retry_after(asked, time.time())
    return Answered(response.status, retry_after, text_of(unpacked, headers.get("Content-Type", "")), headers)


def _read(response: BaseHTTPResponse, deadline: Deadline) -> bytes:
    """Read the first part of an answer; what is not there by the deadline is done without."""
    read = b""
    try:
        while len(read) < LONGEST_ANSWER and not deadline.has_passed:
            if not (chunk := response.read1(LONGEST_ANSWER - len(read))):
                break
            read += chunk
    except HTTPError:
        # The status has arrived and it decides; a body cut short only shortens what people see of it.
        pass
    # A chunk that says it is smaller than nothing is read past what was asked for.
    return read[:LONGEST_ANSWER]


def _unpacked(read: bytes, encodings: str) -> bytes:
    """Unpack an answer that is compressed although Flagcast did not ask for that, so that it can be read."""
    for encoding in reversed(encodings.lower().split(",")):
        match encoding.strip():
            case "gzip" | "x-gzip":
                read = _inflated(read, _GZIP_OR_ZLIB)
            case "deflate":
                # RFC 9110 section 8.4.1.2 means zlib's format; some send what is inside of it.
                read = _inflated(read, _GZIP_OR_ZLIB, _RAW)
    return read


def _inflated(read: bytes, *formats: int) -> bytes:
    for each in formats:
        with suppress(zlib.error):
            return zlib.decompressobj(each).decompress(read, LONGEST_ANSWER)
    return read


def _as_latin(value: str) -> str:
    return value.encode().decode("latin-1")
