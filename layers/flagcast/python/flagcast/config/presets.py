"""Presets: partial destinations that lie beside the code, and what each needs of the operator."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from flagcast.config.decode import meant
from flagcast.config.document import load
from flagcast.config.model import Problem
from flagcast.config.value_path import join
from flagcast.primitives.value_display import shown


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """One answer of a vendor's."""

    status: int
    text: str


class Answers(Struct, frozen=True, forbid_unknown_fields=True):
    """What the vendor answers, as it documents it: `accept` and `retry.when` are tried on these."""

    accepted: tuple[Answer, ...] = ()
    not_now: tuple[Answer, ...] = ()
    rejected: tuple[Answer, ...] = ()


class Preset(Struct, frozen=True):
    """A ready-made destination; `needs` says by path what it cannot know, and `keys` are the rest of it."""

    description: str
    needs: dict[str, str]
    keys: dict[str, Any]
    answers: Answers = Answers()


NO_PRESET = Preset("", {}, {})


def read_preset(text: str) -> Preset:
    """Read a preset's file; raises ConfigurationUnreadable where it is not YAML."""
    tree, _ = load(text)
    # What defaults say of templates is said of the operator's own.
    description, needs, answers = tree.pop("description"), tree.pop("needs", {}), tree.pop("answers", {})
    keys = {"engine": "jinja2", "escape": "json", **tree}
    return Preset(description, needs, keys, msgspec.convert(answers, Answers))


def find_preset(name: object, texts: Mapping[str, str], path: str) -> tuple[Preset, list[Problem]]:
    """Return the preset of a name, and what is wrong with that name."""
    if not isinstance(name, str):
        return NO_PRESET, []
    if name in texts:
        return read_preset(texts[name]), []
    hint = meant(name, texts) or f"there are: {', '.join(sorted(texts))}"
    return NO_PRESET, [Problem(join(path, "preset"), f"there is no preset {shown(name)}", hint)]


def unmet(preset: Preset, tree: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Yield a problem for each thing that a preset needs and that no one said."""
    for where, sentence in preset.needs.items():
        found: Any = tree
        for key in where.split("."):
            if not isinstance(found, dict):
                break  # Its own problem says so.
            if key not in found:
                yield Problem(f"{path}.{where}", f"is required by preset {tree['preset']}: {sentence}")
                break
            found = found[key]
