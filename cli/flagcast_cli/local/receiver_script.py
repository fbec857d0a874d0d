"""What a receiver can be told to do with a request, and what it keeps of one."""

from collections.abc import Mapping

from msgspec import Struct


class Answer(Struct, frozen=True):
    """Answer, after so many seconds; one that is held waits until the receiver is told to release this name."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    delay: float = 0
    held: str | None = None


class Hang(Struct, frozen=True):
    """Take the request and never answer it."""


class Reset(Struct, frozen=True):
    """Reset the connection instead of answering."""


class Drip(Struct, frozen=True):
    """Send an answer one byte at a time, or its head at once and only its body so."""

    answer: Answer = Answer()
    interval: float = 1
    head_too: bool = True


class Huge(Struct, frozen=True):
    """Answer 200 with a body that ends only when the client closes the connection."""


Action = Answer | Hang | Reset | Drip | Huge


class Received(Struct, frozen=True):
    """One request; `headers` in order, repeats included, `at` in monotonic seconds, `answered` the status if any."""

    path: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: float
    answered: int | None = None
