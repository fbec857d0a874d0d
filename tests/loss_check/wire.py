"""Values over a local socket, between the accountant and the functions' processes."""

import pickle
import socket
from typing import Any


def put(connection: socket.socket, value: object) -> None:
    """Send one value."""
    packed = pickle.dumps(value)
    connection.sendall(len(packed).to_bytes(4) + packed)


def take(connection: socket.socket) -> Any:
    """Receive one value; raises EOFError where the other side is gone."""
    return pickle.loads(_exactly(connection, int.from_bytes(_exactly(connection, 4))))


def _exactly(connection: socket.socket, count: int) -> bytes:
    pieces: list[bytes] = []
    while count:
        try:
            piece = connection.recv(min(count, 1 << 20))
        except OSError as error:
            raise EOFError from error
        if not piece:
            raise EOFError
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
