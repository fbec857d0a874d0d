"""The bodies of dead letters, those included that are stored apart."""

import time

from flagcast.edges.aws.body_store import BodyStore
from flagcast.errors import BodyUnavailable
from flagcast.events.change_context import NOTHING
from flagcast_cli.dlq.letters import Absent, Facts, Letter, facts_of

_WITHIN = 30.0


class Contents:
    """What letters hold; a stored body is fetched when it is asked for, and not kept."""

    def __init__(self, bodies: BodyStore) -> None:
        """Fetch nothing yet."""
        self._bodies = bodies
        self._facts: dict[str, Facts | Absent] = {}
        self._stored: set[str] = set()

    def raw(self, letter: Letter) -> bytes | Absent:
        """Return a letter's body as Flipt sent it, or why there is none; what is no task is its own body."""
        if (task := letter.task) is None:
            return letter.message.body.encode()
        if not letter.body_ref:
            return task.raw
        try:
            stored = self._bodies.fetch(letter.body_ref, time.monotonic() + _WITHIN)
        except BodyUnavailable as error:
            return Absent(f"its body, stored apart, could not be fetched ({error})", for_good=False)
        return Absent("its body, stored apart, is not there any more") if stored is None else stored

    def facts(self, letter: Letter) -> Facts | Absent:
        """Return what a letter's event is about, fetching its body if need be: once for all its destinations."""
        if (facts := letter.facts()) is not None:
            return facts
        if (ref := letter.body_ref) not in self._facts:
            raw = self.raw(letter)
            known = letter.task.known if letter.task else NOTHING
            self._facts[ref] = raw if isinstance(raw, Absent) else facts_of(raw, known)
        return self._facts[ref]

    def at_hand(self, letter: Letter) -> Facts | Absent:
        """Return what a letter's event is about, as far as it is known without fetching."""
        known = letter.facts()
        return known if known is not None else self._facts.get(letter.body_ref, Absent("its body is stored apart"))

    def store_again(self, letter: Letter) -> Absent | None:
        """Write a stored body again, so that it outlives its task once more; returns why it could not be."""
        ref = letter.body_ref
        if not ref or ref in self._stored:
            return None
        raw = self.raw(letter)
        if isinstance(raw, Absent):
            return raw
        try:
            self._bodies.store(ref, raw, time.monotonic() + _WITHIN)
        except BodyUnavailable as error:
            return Absent(f"its body could not be stored again ({error})", for_good=False)
        self._stored.add(ref)
        return None
