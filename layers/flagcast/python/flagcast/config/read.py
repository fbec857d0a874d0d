"""The text of flagcast.yaml to a Configuration, each faulty part held alone."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from flagcast.config.decode import NOTHING, decode_fields, meant, not_a, probable, probably_meant
from flagcast.config.document import load
from flagcast.config.model import Configuration, Destination, FaultyDestination, FaultySource, Problem, Source
from flagcast.config.presets import NO_PRESET, Preset, find_preset, unmet
from flagcast.config.secret_references import Text
from flagcast.config.validation import check_destination, check_destination_name, check_name, check_source
from flagcast.config.value_origin import Origins
from flagcast.config.value_path import is_within, join, steps
from flagcast.errors import ConfigurationUnreadable
from flagcast.primitives.value_display import kind_of, shown

_NOT_KNOWN = Text("https://not.known")
_BODY = frozenset({"body", "template"})
_UNDER_A_BODY = frozenset({"vars", "engine", "escape", "content_type"})
"""What a body needs to be right: without it, it fails for that alone."""
_PROOFS = frozenset({"signing_secrets", "bearer_tokens", "auth"})
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
        what = "is empty" if tree is None else f"is {kind_of(tree)}"
        raise ConfigurationUnreadable(Problem("", f"{what}; expected a mapping with sources and destinations"))
    problems = [each for each in repeated if each.path in _SECTIONS]
    problems += [
        Problem(join("", key), "unknown key", meant(key, _KEYS) or f"expected one of {', '.join(_KEYS)}", is_key=True)
        for key in tree
        if key not in _KEYS
    ]
    sections = {"defaults": {}, **tree}
    if not any(each.is_key and each.hint.startswith("did") for each in problems):
        problems += [
            Problem(name, f"is required; {name}: {{}} has none yet") for name in _SECTIONS if name not in sections
        ]
    problems += [
        not_a(name, "a mapping", sections[name])
        for name in sections
        if name in _SECTIONS and not isinstance(sections[name], dict)
    ]
    if problems:
        raise ConfigurationUnreadable(*problems)
    return sections


def _within(path: str, problems: Iterable[Problem]) -> list[Problem]:
    return [each for each in problems if is_within(each.path, path)]


def _defaults(tree: dict[Any, Any], repeated: list[Problem]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the defaults that are right, to be merged, and the problems of those that are not."""
    _, problems = decode_fields(Destination, {"url": "https://set.by.each.destination", **tree}, "defaults")
    if "url" in tree:
        problems.append(Problem("defaults.url", "belongs to a destination", is_key=True))
    faulty = {each.path.split(".")[1].split("[")[0] for each in problems if "." in each.path}
    return {key: value for key, value in tree.items() if key not in faulty}, [*problems, *repeated]


def _notify(
    tree: Mapping[str, Any], destinations: Mapping[Any, Any], repeated: list[Problem]
) -> tuple[str | None, list[Problem]]:
    """Return the destination that is notified of troubles; None if there is none, or none that is certainly meant."""
    if repeated or "notify" not in tree:
        return None, repeated
    name = tree["notify"]
    if name is None:
        return None, [Problem("notify", NOTHING)]
    if isinstance(name, str) and name in destinations:
        return name, []
    names = list(map(str, destinations))
    hint = meant(name, names) or f"there are: {', '.join(names) or 'none'}"
    return None, [Problem("notify", f"expected the name of a destination, got {shown(name)}", hint)]


def _source(name: object, tree: object, repeated: list[Problem]) -> Source | FaultySource:
    path = join("sources", name)
    values, problems = decode_fields(Source, tree, path)
    problems += [*repeated, *_located(path, check_name(name))]
    source = Source(**values)
    if isinstance(tree, dict):
        wrong = _keys_of(problems, Source)
        # Whether it has a proof is not known while one of them is wrong.
        wrong |= {""} if wrong & _PROOFS else set()
        problems += _located(path, [each for each in check_source(source) if each.path not in wrong])
    return FaultySource(tuple(problems)) if problems else source


def _destination(
    name: object, tree: object, known_problems: list[Problem], defaults: dict[str, Any], beside: Beside
) -> Destination | FaultyDestination:
    path = join("destinations", name)
    preset, problems = _preset(tree, defaults, beside.presets, path)
    whole = _over(_over(defaults, preset.keys), tree) if isinstance(tree, dict) else tree
    values, found = decode_fields(Destination, whole, path)
    problems += [each for each in found if not _is_told_by_its_preset(each, path, whole, preset)]
    problems += _located(path, check_destination_name(name))
    # What is right by itself is held against the rest of it too, so that one report says everything.
    draft = Destination(**{"url": _NOT_KNOWN, **values})
    is_http_open = draft.allow_http or (
        isinstance(whole, dict) and "allow_http" in whole and "allow_http" not in values
    )
    checked = structs.replace(draft, allow_http=is_http_open)  # What is wrong with allow_http is said once.
    told = {each.path for each in problems}
    between = _located(path, check_destination(checked, beside.templates, beside.authorities))
    problems += [each for each in between if each.path not in told]
    if draft.is_aws and isinstance(tree, dict):
        # Not at the top: a function whose destinations are all HTTP's never needs it.
        from flagcast.config.target_validation import check_own_keys

        problems += _located(path, check_own_keys(draft.url, tree))
    origins = Origins(tree, preset.keys, defaults, path)
    problems = [*known_problems, *map(origins.of, problems)]
    if not problems:
        return draft
    # What is known to be right of its routing still holds; a key that is repeated is not known to be right.
    doubtful = {each.path for each in problems}
    routing = {
        key: values[key]
        for key in ("events", "ordering")
        if key in values and doubtful.isdisjoint({path, f"{path}.{key}", f"defaults.{key}"})
    }
    return FaultyDestination(tuple(problems), **routing, draft=_triable(draft, _keys_of(problems, Destination)))


def _triable(draft: Destination, wrong: set[str]) -> Destination:
    """Return what can be tried of a destination some of whose keys are wrong, so that no mistake is told twice."""
    draft = structs.replace(draft, url=_NOT_KNOWN)
    if "vars" in wrong:
        draft = structs.replace(draft, headers={})
    return draft if wrong.isdisjoint(_UNDER_A_BODY) else structs.replace(draft, body=None, template=None)


def _keys_of(problems: Iterable[Problem], model: type[Struct]) -> set[str]:
    """Return the keys of a part that problems are about: of one that is not known, what was probably meant."""
    fields = model.__struct_fields__
    written = [steps(each.path) for each in problems]
    keys = {str(key) for each in written for key in each[1 if each[0] == "defaults" else 2 :][:1]}
    return {key if key in fields else probable(key, fields) or key for key in keys}


def _preset(
    tree: object, defaults: Mapping[str, Any], presets: Mapping[str, str], path: str
) -> tuple[Preset, list[Problem]]:
    """Return the preset of a destination, and what it needs and no one said."""
    if not isinstance(tree, dict):
        return NO_PRESET, []
    preset, problems = find_preset(tree.get("preset", defaults.get("preset")), presets, path)
    whole = _over(_over(defaults, preset.keys), tree)
    meant_keys = probably_meant(whole, Destination.__struct_fields__)
    missed = [each for each in unmet(preset, whole, path) if str(steps(each.path)[2]) not in meant_keys]
    return preset, [*problems, *missed]


def _is_told_by_its_preset(problem: Problem, path: str, whole: object, preset: Preset) -> bool:
    """Return whether an address is missed that a preset says it needs, or that an unknown preset may have."""
    if problem.path != f"{path}.url" or not isinstance(whole, dict) or "url" in whole:
        return False
    return "url" in preset.needs or (preset is NO_PRESET and "preset" in whole)


def _over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge, where a body replaces a template, and the other way round."""
    kept = base if _BODY.isdisjoint(over) else {key: value for key, value in base.items() if key not in _BODY}
    return merge(kept, over)


def _located(path: str, below: Iterable[Problem]) -> list[Problem]:
    return [structs.replace(each, path=f"{path}.{each.path}" if each.path else path) for each in below]
