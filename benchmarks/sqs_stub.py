"""An SQS that accepts everything at once, as a process of its own, so that its work is nobody's processor time."""

import json
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import BinaryIO


@contextmanager
def sqs_stub() -> Iterator[str]:
    """Run the stub; yields its endpoint."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


def _serve(ready: Connection) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    ready.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as requests:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while answer := _answer(requests):
                connection.sendall(answer)


def _answer(requests: BinaryIO) -> bytes:
    if not requests.readline():
        return b""
    length = 0
    while (line := requests.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    entries = json.loads(requests.read(length))["Entries"]
    successful = [{"Id": each["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32} for each in entries]
    body = json.dumps({"Successful": successful, "Failed": []}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
