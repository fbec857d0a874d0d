"""What one run does."""

from collections.abc import Mapping

from msgspec import Struct


class Plan(Struct, frozen=True):
    """What a run does; `scale` multiplies the chances of faults of destinations, `slow` of those that take time."""

    seed: int
    events: int
    rate: float = 20.0
    subjects: int = 60
    scale: float = 1.0
    slow: float = 1.0
    rates: Mapping[str, float] = {}
    forgotten: float = 0.01
    deploys: bool = True
    """Another version, with another filter, is deployed in the middle."""
    circuits: bool = False
    replays: bool = False
    """What was accepted is replayed to a destination that is added when the client is done."""
    archives: bool = False
    """Events are archived, too."""
    mutation: str | None = None
    real_seconds: float = 900.0
