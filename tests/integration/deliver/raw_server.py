"""A server that is a function over a socket: it need not speak HTTP, and need not end."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Talk = Callable[[socket.socket, threading.Event], object]
"""Talks on a connection until it has said everything, the client is gone, or the event is set."""


@contextmanager
def serving(talk: Talk, scheme: str = "http") -> Iterator[str]:
    """Serve every connection by a function on a thread of its own; yields the address."""
    over = threading.Event()
    served: list[tuple[socket.socket, threading.Thread]] = []

    def answer(connection: socket.socket) -> None:
        # The client ends the connection whenever it likes.
        with connection, suppress(OSError):
            talk(connection, over)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                if over.is_set():
                    connection.close()
                    return
                thread = threading.Thread(target=answer, args=(connection,))
                served.append((connection, thread))
                thread.start()

        accepting = threading.Thread(target=serve)
        accepting.start()
        try:
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/in"
        finally:
            over.set()
            socket.create_connection(listener.getsockname()).close()
            accepting.join()
            for connection, thread in served:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                thread.join()


def take(connection: socket.socket) -> bytes:
    """Read a request whose body is a JSON object, to its last byte."""
    taken = b""
    while not taken.endswith(b"}"):
        if not (piece := connection.recv(65_536)):
            break
        taken += piece
    return taken
