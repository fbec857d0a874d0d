"""The head of an answer, as much of it as http.client reads.

http.client raises where there are more than 100 header lines or a line is longer than 64 KiB, and reads none of those
behind a line without a colon, with another name than a header has or with a carriage return in it. The status would be
lost with them, and it decides.
"""

import re
from typing import Protocol

from flagcast.edges.http.deadline import Deadline

LONGEST_LINE = 8 * 1024
"""Bytes of a header line that is kept; a longer one is passed over."""

LONGEST = 1024 * 1024
"""Bytes of a head that are read."""

NEEDED = frozenset({
    b"connection", b"content-encoding", b"content-length", b"content-type", b"location", b"retry-after",
    b"transfer-encoding",
})  # fmt: skip
"""Headers without which the answer cannot be read, or what follows from it is another: kept however many others are."""

MOST = 75
"""Other header lines that are kept."""

MOST_NEEDED = 20

_NAME = re.compile(rb"[!-9;-~]+")
_BLANK = b" \t\r\n"
_SHORT = re.compile(rb"(?:%b:(?:[^\r\n]*[^\s])?\r\n){,%d}\r\n" % (_NAME.pattern, MOST))


class Reader(Protocol):
    """What an answer is read from."""

    def readline(self, size: int, /) -> bytes:
        """Return a line, or the beginning of one that is longer; nothing at the end."""


class TooLongError(OSError):
    """Raised for a head that does not end: OSError, as for whatever else goes wrong while an answer is read."""


def is_short(buffered: bytes) -> bool:
    """Return whether a head that lies ready has nothing that http.client would fail on: nearly every one."""
    return _SHORT.match(buffered) is not None


class Head:
    """Reads lines for http.client, and passes over those that it would fail on."""

    def __init__(self, reader: Reader, deadline: Deadline) -> None:
        """Keep what is read from, and by when."""
        self._reader = reader
        self._deadline = deadline
        self._left = LONGEST
        self._room = {True: MOST_NEEDED, False: MOST}
        self._keeps = False

    def readline(self, _: int) -> bytes:
        """Return the next line that is kept, or the empty one that ends the head.

        Raises TimeoutError at the deadline, and TooLongError.
        """
        while True:
            line, is_whole = self._line()
            if line.rstrip(b"\r\n") == b"":
                return line
            if line[:1] in (b" ", b"\t"):
                # It goes on with the line before it.
                read = b" " + _without_breaks(line)
            else:
                name, colon, value = line.partition(b":")
                name = name.rstrip(_BLANK)
                self._keeps = is_whole and bool(colon) and self._has_room(name)
                read = name + b": " + _without_breaks(value)
            if self._keeps and is_whole:
                return read + b"\r\n"

    def _line(self) -> tuple[bytes, bool]:
        """Read a line; returns its beginning, and whether that is all of it."""
        line = piece = self._read()
        while len(piece) == LONGEST_LINE and not piece.endswith(b"\n"):
            piece = self._read()
        return line, piece is line

    def _read(self) -> bytes:
        # What came before the connection was shut down can still be read, and is megabytes.
        self._deadline.check()
        piece = self._reader.readline(LONGEST_LINE)
        self._left -= len(piece)
        if self._left < 0:
            raise TooLongError("a head without an end")
        return piece

    def _has_room(self, name: bytes) -> bool:
        is_needed = name.lower() in NEEDED
        self._room[is_needed] -= 1
        return _NAME.fullmatch(name) is not None and self._room[is_needed] >= 0


def _without_breaks(value: bytes) -> bytes:
    """Return what a line says as RFC 9112 section 2.2 wants a carriage return in it to be read: as a blank."""
    return value.strip(_BLANK).replace(b"\r", b" ")
