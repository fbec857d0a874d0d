"""Where the values of a destination come from, so that a problem names the place where it is written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from flagcast.config.model import Problem
from flagcast.config.presets import find_preset
from flagcast.config.value_path import is_within, join, steps


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


def at_their_origins(
    problems: Iterable[Problem], tree: Mapping[str, Any], presets: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield what was found by trying destinations at the defaults, if it comes from there; `tree` is the whole file."""
    defaults = tree.get("defaults", {})
    known = []
    for name, own in tree["destinations"].items():
        path = join("destinations", name)
        named = own.get("preset", defaults.get("preset")) if isinstance(own, dict) else None
        known.append(Origins(own, find_preset(named, presets, path)[0].keys, defaults, path))
    for problem in problems:
        of = next((each for each in known if is_within(problem.path, each.path)), None)
        yield problem if of is None else of.of(problem)


def _depth(tree: object, keys: Sequence[str | int]) -> int:
    """Return how many of the keys lead somewhere in a tree; a list is one value."""
    for depth, key in enumerate(keys):
        if not isinstance(tree, dict) or key not in tree:
            return depth
        tree = tree[key]
    return len(keys)
