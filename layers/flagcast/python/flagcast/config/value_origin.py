"""Where the values of a destination come from, so that a problem names the place where it is written."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from flagcast.config.model import Problem
from flagcast.config.value_path import steps


class Origins(Struct, frozen=True):
    """Where the values of a destination come from: itself, its preset, the defaults."""

    own: object
    preset: Mapping[str, Any]
    defaults: Mapping[str, Any]
    path: str

    def of(self, problem: Problem) -> Problem:
        """Return a problem at the defaults, if the value at its path comes from there."""
        below = steps(problem.path.removeprefix(self.path))
        in_own, in_preset, in_defaults = (_depth(each, below) for each in (self.own, self.preset, self.defaults))
        if problem.path != self.path and in_defaults > max(in_own, in_preset):
            return structs.replace(problem, path=f"defaults{problem.path.removeprefix(self.path)}")
        return problem


def _depth(tree: object, keys: Sequence[str | int]) -> int:
    """Return how many of the keys lead somewhere in a tree; a list is one value."""
    for depth, key in enumerate(keys):
        if not isinstance(tree, dict) or key not in tree:
            return depth
        tree = tree[key]
    return len(keys)
