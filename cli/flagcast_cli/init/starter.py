"""The first flagcast.yaml: one source, and one destination by a preset, with what the operator has to fill in."""

import re
from collections.abc import Iterator

from flagcast.config.presets import Preset
from flagcast_cli.init.yaml_text import comment, opening, scalar

PLACE_TO_FILL_IN = "https://replace-this.example.com/"
_WRITTEN_IN_A_SENTENCE = re.compile(r"(Bearer )?\$\{[^}]+\}$")


def starter(name: str, preset: Preset, environment: str, flipt_url: str) -> str:
    """Write the file; an empty environment or address of Flipt stays a comment."""
    return "\n".join(_lines(name, preset, environment, flipt_url)) + "\n"


def _lines(name: str, preset: Preset, environment: str, flipt_url: str) -> Iterator[str]:
    yield from opening("What Flagcast receives, and where it sends it.")
    yield f"    environment: {scalar(environment)}" if environment else "    # environment: production"
    yield f"    flipt_url: {scalar(flipt_url)}" if flipt_url else "    # flipt_url: https://flipt.example.com"
    yield ""
    yield "destinations:"
    yield f"  # {comment(preset.description)}"
    yield f"  {name}:"
    yield f"    preset: {name}"
    group = ""
    for path, sentence in preset.needs.items():
        outer, _, inner = path.rpartition(".")
        if outer != group:
            yield f"    {outer}:"
        group = outer
        indent = "      " if outer else "    "
        yield f"{indent}# {comment(sentence)}"
        yield f"{indent}{inner}: {scalar(_value(sentence))}"
    yield '    # events: ["flag:*", "rollout:*"]  # all events without it'
    yield "    # when: event.namespace == 'production'"


def _value(sentence: str) -> str:
    """Return what a preset advises to write, which ends its sentence, else what is to be replaced."""
    found = _WRITTEN_IN_A_SENTENCE.search(sentence)
    return found[0] if found else PLACE_TO_FILL_IN
