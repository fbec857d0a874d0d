"""The destinations: a server in the clear, and one with certificates, some of them wrong, behind a door."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.integration.deliver.authority import Authority
from tests.loss_check import setup
from tests.loss_check.answers import Request, choose, perform
from tests.loss_check.clock import SharedClock
from tests.loss_check.events import NO_EVENT, NOT_ACCEPTED
from tests.loss_check.ledger import Arrival, Ledger
from tests.loss_check.seeded_random import SeededRandom, Strikes

WRONG_CERTIFICATE = 0.05


class Receiver:
    """Takes requests from entering its context to leaving it."""

    def __init__(
        self,
        folder: Path,
        clock: SharedClock,
        dice: SeededRandom,
        strikes: Strikes,
        ledger: Ledger,
        scale: float,
        slow: float,
        kill: Callable[[int, str], None],
        generation: Callable[[int], int],
    ) -> None:
        self._clock = clock
        self._dice = dice
        self._strikes = strikes
        self._ledger = ledger
        self._scale = scale
        self._slow = slow
        self._kill = kill
        self._generation = generation
        self._connections = 0
        (folder / "other").mkdir()
        self._right = _context(Authority(folder).certificate())
        self._wrong = _context(Authority(folder / "other").certificate())
        self._http = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._https = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._address = self._https.getsockname()
        self.http = f"http://127.0.0.1:{self._http.getsockname()[1]}"
        self.https = f"https://127.0.0.1:{self._address[1]}"

    def __enter__(self) -> "Receiver":
        self._accept(self._http, self._serve)
        self._accept(self._https, self._serve_safely)
        return self

    def __exit__(self, *error: object) -> None:
        _end(self._http)
        self.close_door()

    def close_door(self) -> None:
        """Refuse connections to the server with certificates."""
        _end(self._https)

    def open_door(self) -> None:
        self._https = socket.create_server(self._address, backlog=256)
        self._accept(self._https, self._serve_safely)

    def _accept(self, listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=serve, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def _serve_safely(self, connection: socket.socket) -> None:
        self._connections += 1
        is_wrong = self._dice.roll("certificate", self._connections) < WRONG_CERTIFICATE * self._scale
        if is_wrong:
            self._strikes.strike("wrong certificate")
        with suppress(OSError):
            wrapped = (self._wrong if is_wrong else self._right).wrap_socket(connection, server_side=True)
            self._serve(wrapped)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while self._take(connection):
                pass

    def _take(self, connection: socket.socket) -> bool:
        """Take one request; returns whether there may be another."""
        read = b""
        while b"\r\n\r\n" not in read:
            if not (piece := connection.recv(65_536)):
                return False
            read += piece
        head, _, rest = read.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        first, *lines = text.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

        def body() -> bytes:
            pieces, missing = [rest], int(headers["content-length"]) - len(rest)
            while missing > 0 and (piece := connection.recv(min(missing, 1 << 20))):
                pieces.append(piece)
                missing -= len(piece)
            whole = b"".join(pieces)
            for canary in (NOT_ACCEPTED, NO_EVENT):
                if canary.encode() in whole:
                    self._ledger.leaks.append(f"{canary} at a destination")
            return whole

        pid = int(headers["x-process"])
        destination = first.split(" ")[1].split("/")[1]
        request = Request(destination, headers["webhook-id"], pid, text, body)
        task = f"{request.event_id}:{destination}"
        arrival = Arrival(task, 0, self._clock.now(), self._generation(pid), pid, call=int(headers["x-attempt"]))
        if (destination == setup.ADDED) != ("flagcast-replay" in headers):
            self._ledger.breaks.append(f"{task}: a replay is marked, and nothing else is")
        before = self._ledger.arrived(arrival)
        arrival.action = kind = choose(self._dice, self._scale, self._slow, destination, request.event_id, before)
        if kind != "good":
            self._strikes.strike(kind)
        arrival.is_lost = kind != "reset before reading"
        talk = perform(connection, request, kind, self._dice, lambda why: self._kill(pid, why))
        arrival.status, arrival.is_lost, arrival.wants_rest = talk.status, talk.lost, talk.rests
        # A certificate is shown when a connection is made: each request is to make its own.
        return talk.kept and destination != "guarded"


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _end(listener: socket.socket) -> None:
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
