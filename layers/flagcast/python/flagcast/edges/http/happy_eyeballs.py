"""A connection to whichever address of a name takes it: one that swallows connections keeps no one from the next.

https://www.rfc-editor.org/rfc/rfc8305#section-5 (Happy Eyeballs)
"""

import os
import socket
from collections import deque
from collections.abc import Sequence
from selectors import EVENT_WRITE, DefaultSelector
from typing import Any

from flagcast.edges.http.deadline import Deadline

HEAD_START = 0.25
"""Seconds until the next address is tried beside those that have not answered: RFC 8305 section 8 recommends them."""

MOST_ADDRESSES = 10
"""Addresses of a name that are tried: each takes a socket of the few that a function may have."""

Address = tuple[Any, ...]
"""One of socket.getaddrinfo's answers."""


def race(addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
    """Return a connection to the first address that takes it, in the order given where they are as fast.

    Raises TimeoutError at the deadline, and the last OSError where every address refuses.
    """
    waiting = deque(addresses[:MOST_ADDRESSES])
    refused = OSError("no address")
    with DefaultSelector() as running:
        try:
            while waiting or running.get_map():
                if waiting:
                    try:
                        begun = _begun(waiting.popleft())
                    except OSError as error:
                        refused = error
                        continue
                    running.register(begun, EVENT_WRITE, data=begun)
                if not (left := deadline.left):
                    raise TimeoutError
                for key, _ in running.select(min(left, HEAD_START) if waiting else left):
                    connection: socket.socket = key.data
                    running.unregister(connection)
                    if not (code := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                        connection.setblocking(True)
                        return connection
                    connection.close()
                    refused = OSError(code, os.strerror(code))
        finally:
            for key in running.get_map().values():
                key.data.close()
    raise refused


def _begun(address: Address) -> socket.socket:
    """Begin to connect, without waiting for it."""
    family, kind, protocol, _, where = address
    connection = socket.socket(family, kind, protocol)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect(where)
    except BlockingIOError:
        pass
    except OSError:
        connection.close()
        raise
    return connection
