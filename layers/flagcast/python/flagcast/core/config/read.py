"""The text of flagcast.yaml to a Configuration, each faulty part held alone."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from flagcast.core.config.checks import Finding, check_destination, check_name, check_source
from flagcast.core.config.decode import decode_fields
from flagcast.core.config.document import load
from flagcast.core.config.model import (
    Configuration,
    Destination,
    FaultyDestination,
    FaultySource,
    Problem,
    Source,
)
from flagcast.core.config.paths import is_within, join
from flagcast.core.config.presets import find_preset, unmet
from flagcast.core.config.references import Text
from flagcast.errors import ConfigurationUnreadable

_NOT_KNOWN = Text("https://not.known")
_BODY = frozenset({"body", "template"})
_SECTIONS = ("sources", "defaults", "destinations")
_KEYS = (*_SECTIONS, "notify")


class Beside(Struct, frozen=True):
    """What lies beside the file: the names of templates and of files of certificates, and the text of every preset."""

    templates: Collection[str] = ()
    presets: Mapping[str, str] = {}
    authorities: Collection[str] = ()


ALONE = Beside()


def read(text: str, beside: Beside = ALONE) -> Configuration:
    """Read flagcast.yaml.

    Raises ConfigurationUnreadable where the file as a whole cannot be trusted: it is not YAML, a section is missing,
    repeated, misspelt or no mapping. What is wrong inside a source or destination faults only that one.
    """
    tree, repeated = load(text)
    sections = _sections(tree, repeated)
    defaults, default_problems = _defaults(sections["defaults"], _within("defaults", repeated))

    def destination(name: object, part: object) -> Destination | FaultyDestination:
        known = [*default_problems, *_within(join("destinations", name), repeated)]
        return _destination(name, part, known, defaults, beside)

    notify, notify_problems = _notify(tree, sections["destinations"], _within("notify", repeated))
    return Configuration(
        notify=notify,
        notify_problems=tuple(notify_problems),
        sources={
            str(name): _source(name, part, _within(join("sources", name), repeated))
            for name, part in sections["sources"].items()
        },
        destinations={str(name): destination(name, part) for name, part in sections["destinations"].items()},
    )


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one partial mapping over another; mappings inside them are merged too, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _sections(tree: Any, repeated: list[Problem]) -> dict[str, dict[Any, Any]]:
    if not isinstance(tree, dict):
        raise ConfigurationUnreadable("expected a mapping with sources and destinations")
    problems = [str(each) for each in repeated if each.path in _SECTIONS]
    problems += [f"{key}: unknown key; expected {', '.join(_KEYS)}" for key in tree if key not in _KEYS]
    sections = {"defaults": {}, **tree}
    problems += [f"{name}: is required" for name in _SECTIONS if name not in sections]
    problems += [
        f"{name}: expected a mapping" for name in sections if name in _SECTIONS and not isinstance(sections[name], dict)
    ]
    if problems:
        raise ConfigurationUnreadable("; ".join(problems))
    return sections


def _within(path: str, problems: Iterable[Problem]) -> list[Problem]:
    return [each for each in problems if is_within(each.path, path)]


def _defaults(tree: dict[Any, Any], repeated: list[Problem]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the defaults that are right, to be merged, and the problems of those that are not."""
    _, problems = decode_fields(Destination, {"url": "https://set.by.each.destination", **tree}, "defaults")
    if "url" in tree:
        problems.append(Problem("defaults.url", "belongs to a destination"))
    faulty = {each.path.split(".")[1].split("[")[0] for each in problems if "." in each.path}
    return {key: value for key, value in tree.items() if key not in faulty}, [*problems, *repeated]


def _notify(
    tree: Mapping[str, Any], destinations: Mapping[Any, Any], repeated: list[Problem]
) -> tuple[str | None, list[Problem]]:
    """Return the destination that is told of troubles; None where there is none, or none that is known to be meant."""
    name = tree.get("notify")
    if repeated or name is None:
        return None, repeated
    if isinstance(name, str) and name in destinations:
        return name, []
    close = difflib.get_close_matches(str(name), map(str, destinations), n=1)
    there_are = ", ".join(map(str, destinations)) or "none"
    hint = f"did you mean {close[0]}?" if close else f"there are: {there_are}"
    return None, [Problem("notify", f"expected the name of a destination; {hint}")]


def _source(name: object, tree: object, repeated: list[Problem]) -> Source | FaultySource:
    path = join("sources", name)
    values, problems = decode_fields(Source, tree, path)
    problems += [*repeated, *_located(path, check_name(name))]
    if not problems:
        source = Source(**values)
        if not (problems := _located(path, check_source(source))):
            return source
    return FaultySource(tuple(problems))


def _destination(
    name: object, tree: object, known_problems: list[Problem], defaults: dict[str, Any], beside: Beside
) -> Destination | FaultyDestination:
    path = join("destinations", name)
    whole, missing = _inheriting(tree, defaults, beside.presets, path)
    values, problems = decode_fields(Destination, whole, path)
    said = {each.path for each in missing}
    problems = [*missing, *(each for each in problems if each.path not in said)]
    problems += [*known_problems, *_located(path, check_name(name))]
    # What is right by itself is held against the rest of it too, so that one report says everything.
    draft = Destination(**{"url": _NOT_KNOWN, **values})
    problems += _located(path, check_destination(draft, beside.templates, beside.authorities))
    if not problems:
        return draft
    # What is known to be right of its routing still holds; a key that is repeated is not known to be right.
    doubtful = {each.path for each in problems}
    routing = {
        key: values[key]
        for key in ("events", "ordering")
        if key in values and doubtful.isdisjoint({path, f"{path}.{key}", f"defaults.{key}"})
    }
    return FaultyDestination(tuple(problems), **routing, draft=structs.replace(draft, url=_NOT_KNOWN))


def _inheriting(
    tree: object, defaults: dict[str, Any], presets: Mapping[str, str], path: str
) -> tuple[object, list[Problem]]:
    """Lay a destination over its preset, and that over the defaults; returns what the preset lacks, too."""
    if not isinstance(tree, dict):
        return tree, []
    preset, problems = find_preset(tree.get("preset", defaults.get("preset")), presets, path)
    whole = _over(_over(defaults, preset.keys), tree)
    return whole, [*problems, *unmet(preset, whole, path)]


def _over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge, where a body replaces a template, and the other way round."""
    kept = base if _BODY.isdisjoint(over) else {key: value for key, value in base.items() if key not in _BODY}
    return merge(kept, over)


def _located(path: str, findings: Iterable[Finding]) -> list[Problem]:
    return [Problem(f"{path}.{where}" if where else path, what) for where, what in findings]
