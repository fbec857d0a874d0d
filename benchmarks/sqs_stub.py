"""AWS as far as the benchmarks need it, as a process of its own, so that its work is nobody's processor time.

It takes every entry of a batch, has an empty state table, and one secret.
"""

import json
import multiprocessing
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.measuring import take_the_others

SECRET = "capture-signing-secret"
"""What events/ingest.json is signed with."""


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
    take_the_others()
    listener = socket.create_server(("127.0.0.1", 0))
    ready.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer_all, args=(connection,), daemon=True).start()


def _answer_all(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as requests:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while requests.readline():
            length = 0
            while (line := requests.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = json.dumps(answer(json.loads(requests.read(length)))).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one call."""
    match request:
        case {"Entries": entries}:
            taken = [{"Id": each["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32} for each in entries]
            return {"Successful": taken, "Failed": []}
        case {"SecretId": name}:
            return {"ARN": "arn:secret", "Name": name, "SecretString": SECRET, "CreatedDate": 0}
        case _:
            return {}
