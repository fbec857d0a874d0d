"""flagcast.yaml as a person would write it: in its order, bodies as blocks, comments that say what came from where."""

import json
import re
from collections.abc import Iterator

from flagcast_cli.flipt_import.convert import Imported, ImportedDestination
from flagcast_cli.init.yaml_text import comment, opening, scalar

_INDENT = "  "
# What a YAML block can hold as it stands (https://yaml.org/spec/1.2.2/#51-character-set); the rest is quoted.
_BLOCK = re.compile("[\t\n -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_OTHER_LINE_BREAKS = frozenset("\u2028\u2029")


def flagcast_yaml(imported: Imported, file: str) -> str:
    """Write the whole file; `file` is the name of the one it was made from."""
    lines = [
        *opening(f"Made from {comment(file)} by `flagcast import-flipt`."),
        "    # environment: production                  # which Flipt this is, for messages and templates",
        "    # flipt_url: https://flipt.example.com     # for links to what was changed",
        "",
        "destinations:",
    ]
    for destination in imported.destinations:
        lines += [f"{_INDENT}{line}" if line else "" for line in _destination(destination)]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def _destination(destination: ImportedDestination) -> Iterator[str]:
    yield f"# From {comment(destination.origin)}{'' if destination.body else ': the original bytes, unchanged'}"
    yield f"{scalar(destination.name)}:"
    for line in _keys(destination):
        yield f"{_INDENT}{line}" if line else ""


def _keys(destination: ImportedDestination) -> Iterator[str]:
    yield f"url: {scalar(destination.url)}"
    if destination.allow_http:
        yield "allow_http: true"
    if destination.allow_private:
        yield f"allow_private: {json.dumps(destination.allow_private)}  # allow only the subnet that it is in"
    if destination.events:
        yield f"events: {json.dumps(destination.events)}"
    if destination.when is not None:
        yield f"when: {destination.when}  # the body fails on an event without a payload, which Flipt drops"
    if destination.content_type is not None:
        yield f"content_type: {scalar(destination.content_type)}"
    if destination.headers:
        yield "headers:"
        yield from (f"{_INDENT}{scalar(name)}: {scalar(value)}" for name, value in destination.headers.items())
    if destination.vars:
        yield "vars:"
        yield from (f"{_INDENT}{scalar(name)}: {scalar(value)}" for name, value in destination.vars.items())
    if destination.sign_secret is not None:
        yield f"sign: {{scheme: flipt, secret: {json.dumps(destination.sign_secret)}}}"
    if destination.max_backoff_duration is not None:
        yield f"retry: {{max_backoff_duration: {destination.max_backoff_duration}}}"
    if destination.body is not None:
        yield "engine: go"
        yield from _body(destination.body)


def _body(text: str) -> Iterator[str]:
    """Write a body as a block, so that it is read back as it is: whatever its end and its first line look like."""
    stripped = text.rstrip("\n")
    breaks = len(text) - len(stripped)
    if breaks > 1 or not stripped.strip() or not _BLOCK.fullmatch(text) or _OTHER_LINE_BREAKS & set(text):
        yield f"body: {scalar(text)}"
        return
    # A first line that is blank or begins with one would be taken for the block's own indentation.
    indentation = str(len(_INDENT)) if stripped[0] in " \n\t" else ""
    yield f"body: |{indentation}{'' if breaks else '-'}"
    yield from (f"{_INDENT}{line}" if line else "" for line in stripped.split("\n"))
