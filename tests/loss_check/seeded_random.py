"""Chance that a seed repeats, whatever the order in which threads ask."""

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping


class SeededRandom:
    """Rolls by what is asked about and not by when: the same seed gives the same faults to the same things."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def roll(self, *about: object) -> float:
        """Return a number of [0, 1)."""
        text = "\0".join(map(str, (self.seed, *about)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) / 2**64

    def choose(self, chances: Mapping[str, float], *about: object) -> str | None:
        """Return one of the kinds with its own probability, or None."""
        left = self.roll(*about)
        for kind, chance in chances.items():
            left -= chance
            if left < 0:
                return kind
        return None

    def among[T](self, values: list[T], *about: object) -> T:
        return values[int(self.roll(*about) * len(values))]


class Strikes:
    """How often each kind of fault struck."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def strike(self, kind: str) -> None:
        with self._lock:
            self.counts[kind] += 1
