"""As much of HTTP/1.1 as clients of tests speak, quick enough for thousands of requests a second on one core."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

HOST = "127.0.0.1"


class Request(Struct):
    """One request; header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class Answer(Struct):
    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}

    def encoded(self) -> bytes:
        headers = {"Content-Type": self.content_type, "Content-Length": str(len(self.body)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} -\r\n{lines}\r\n".encode() + self.body


Serving = Callable[[Request], Awaitable[Answer]]


def as_json(value: Any, status: int = 200) -> Answer:
    return Answer(msgspec.json.encode(value), status)


def run(serving: Serving) -> None:
    """Serve on a free port of loopback until the process is ended; the port is the first line of standard output."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(serving))


async def _serve(serving: Serving) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client that goes away is not waited for; a body over 64 KiB is read by its length, a head never is longer.
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _read(reader)
                writer.write((await serving(request)).encoded())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, HOST, 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(head[0].split(" ")[1], headers, body)
