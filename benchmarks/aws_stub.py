"""AWS as far as the benchmarks need it, as a process of its own, so that its work counts for no function.

It takes every entry of a batch, has one secret, and a state table that knows every thing that Flipt has and keeps
nothing: the same event is a change each time.
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
from flagcast.edges.aws.flipt_state_table import item_of
from flagcast.flipt_state.row import MOST_RECENT, Accepted, Row
from flagcast.flipt_state.thing_keys import ROWS

SECRET = "capture-signing-secret"
"""What events/ingest.json is signed with."""

SECOND = 1_795_475_000
"""Half a minute before events/ingest.json."""
STATE = {
    "description": "one page checkout, A/B",
    "enabled": False,
    "key": "new-checkout",
    "name": "New checkout",
    "namespace_key": "production",
}
ROW = Row(
    state=STATE,
    before={**STATE, "enabled": True},
    state_at=SECOND,
    before_at=SECOND,
    at=SECOND,
    recent=tuple(Accepted(SECOND, SECOND * 1000 + at, f"{at:016x}", at) for at in range(MOST_RECENT)),
)
"""The row of a flag that has changed often: it remembers as many events as a row does."""

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
    b"x-amzn-RequestId: 6b1c9b3e-5c0f-4a52-9f4e-0d3a7c1e2f48\r\nContent-Length: %d\r\n\r\n"
)


@contextmanager
def aws_stub() -> Iterator[str]:
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
            connection.sendall(HEAD % len(body) + body)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one call."""
    match request:
        case {"Entries": entries}:
            taken = [{"Id": each["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32} for each in entries]
            return {"Successful": taken, "Failed": []}
        case {"SecretId": name}:
            return {"ARN": "arn:secret", "Name": name, "SecretString": SECRET, "CreatedDate": 0}
        case {"RequestItems": tables} if all("Keys" in asked for asked in tables.values()):
            found = {
                table: [item_of(key, ROW, MOST_RECENT, SECOND) for key in _keys(asked) if key.startswith(ROWS)]
                for table, asked in tables.items()
            }
            return {"Responses": found, "UnprocessedKeys": {}}
        case _:
            return {}


def _keys(asked: dict[str, Any]) -> list[str]:
    return [key["key"]["S"] for key in asked["Keys"]]
