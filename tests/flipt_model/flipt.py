"""Flipt as far as a receiver can know of it: things that change, and bodies that say no more than they do."""

import json
from random import Random
from typing import Any

from msgspec import Struct

from flagcast.primitives.timestamp import rfc3339

NAMES = ("New checkout", "Checkout")
FLAGS = ("checkout", "search")


class Happened(Struct, frozen=True):
    """One thing that was done: what was there before and after (empty: nothing), and the body that tells of it.

    `flag` is whose it is, which a distribution's body does not say; None for a denied event, which says nothing.
    """

    number: int
    thing: str
    flag: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    body: bytes
    is_denied: bool = False


class Flipt:
    """A Flipt and its database; `now` is the clock of the replica that is asked."""

    def __init__(self, random: Random) -> None:
        self.happened: list[Happened] = []
        self._random = random
        self._states: dict[str, dict[str, Any]] = {}
        self._rules = ["rule-a", "rule-b", "rule-c"]

    def do_something(self, now: float) -> Happened:
        """Change something, or nothing: people save what they did not touch."""
        choice = self._random.randrange(10)
        if choice == 0:
            return self._tell(now, "denied", None, "flag", "deleted", {}, {}, None, is_denied=True)
        if choice == 1:
            return self._reorder(now)
        if choice == 2:
            return self._distribute(now)
        return self._change_a_flag(now, self._random.choice(FLAGS))

    def _change_a_flag(self, now: float, key: str) -> Happened:
        before = self._states.get(key, {})
        made = {"key": key, "namespace_key": "default", "name": self._random.choice(NAMES), "enabled": True}
        if not before:
            return self._become(now, key, key, "flag", "created", made, made)
        if self._random.randrange(10) == 0:
            return self._become(now, key, key, "flag", "deleted", {}, {"key": key, "namespace_key": "default"})
        after = {**before, "enabled": not before["enabled"]}
        if self._random.randrange(4) == 0:
            after = {**before, "name": self._random.choice(NAMES)}
        return self._become(now, key, key, "flag", "updated", after, after)

    def _reorder(self, now: float) -> Happened:
        self._random.shuffle(self._rules)
        after = {"flag_key": "checkout", "namespace_key": "default", "rule_ids": list(self._rules)}
        return self._become(now, "order", "checkout", "rule", "updated", after, after)

    def _distribute(self, now: float) -> Happened:
        """Give a variant a share, of a rule that is there."""
        if "rule" not in self._states:
            rule = {
                "id": "rule-a",
                "flag_key": "checkout",
                "namespace_key": "default",
                "segment_key": "beta",
                "rank": 1,
            }
            return self._become(now, "rule", "checkout", "rule", "created", rule, rule)
        action = "updated" if "distribution" in self._states else "created"
        after = {"id": "d1", "rule_id": "rule-a", "variant_id": "v1", "rollout": self._random.choice([10, 20])}
        return self._become(now, "distribution", "checkout", "distribution", action, after, after)

    def _become(
        self, now: float, thing: str, flag: str, kind: str, action: str, after: dict[str, Any], payload: dict[str, Any]
    ) -> Happened:
        before = self._states.get(thing, {})
        self._states[thing] = after
        return self._tell(now, thing, flag, kind, action, before, after, payload)

    def _tell(
        self,
        now: float,
        thing: str,
        flag: str | None,
        kind: str,
        action: str,
        before: dict[str, Any],
        after: dict[str, Any],
        payload: dict[str, Any] | None,
        *,
        is_denied: bool = False,
    ) -> Happened:
        stamp = rfc3339(int(now))[:19] + "Z"
        wire = {
            "version": "0.2", "type": kind, "action": action, "metadata": {}, "payload": payload, "timestamp": stamp,
            "status": "denied" if is_denied else "success",
        }  # fmt: skip
        made = Happened(len(self.happened), thing, flag, before, after, json.dumps(wire).encode(), is_denied)
        self.happened.append(made)
        return made
