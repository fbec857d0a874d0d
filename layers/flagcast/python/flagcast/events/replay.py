"""An event that is sent once more to one destination, long after it was accepted."""

from msgspec import Struct


class Replay(Struct, frozen=True):
    """One run of `flagcast replay`: its id, the same for all that it sends, and when it began (RFC 3339 in UTC)."""

    id: str
    at: str
