"""flagcast.yaml as a person would write it: in its order, bodies as blocks, comments that say what came from where."""

import json
import re
from collections.abc import Iterator

import yaml

from flagcast_cli.importing.convert import SOURCE, SOURCE_SECRET, Imported, ImportedDestination

_INDENT = "  "
# What a YAML block can hold as it stands (https://yaml.org/spec/1.2.2/#51-character-set); the rest is quoted.
_BLOCK = re.compile("[\t\n -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_OTHER_LINE_BREAKS = frozenset("\u2028\u2029")


def flagcast_yaml(imported: Imported, file: str) -> str:
    """Write the whole file; `file` is the name of the one it was made from."""
    lines = [
        f"# Made from {_comment(file)} by `flagcast import-flipt`. Check it with `flagcast check`.",
        "# Names of secrets stand here, never secrets: ${secret:NAME} is looked up in Secrets Manager under",
        "# flagcast/<stack>/. Every key is in docs/configuration.md.",
        "",
        "sources:",
        "  # POST https://.../webhooks/flipt, signed by Flipt with the secret that the stack generates.",
        f"  {SOURCE}:",
        f'    signing_secrets: ["${{secret:{SOURCE_SECRET}}}"]',
        "    # environment: production                  # Flipt does not say which it is; templates see it",
        "    # flipt_url: https://flipt.example.com     # for links to what was changed",
        "",
        "destinations:",
    ]
    for destination in imported.destinations:
        lines += [f"{_INDENT}{line}" if line else "" for line in _destination(destination)]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def _destination(destination: ImportedDestination) -> Iterator[str]:
    yield f"# From {_comment(destination.origin)}{'' if destination.body else ': the original bytes, unchanged'}"
    yield f"{_scalar(destination.name)}:"
    for line in _keys(destination):
        yield f"{_INDENT}{line}" if line else ""


def _keys(destination: ImportedDestination) -> Iterator[str]:
    yield f"url: {_scalar(destination.url)}"
    if destination.allow_http:
        yield "allow_http: true"
    if destination.allow_private:
        yield f"allow_private: {json.dumps(destination.allow_private)}  # open no more than it is in"
    if destination.events:
        yield f"events: {json.dumps(destination.events)}"
    if destination.when is not None:
        yield f"when: {destination.when}  # Flipt drops these: the body fails on an event without a payload"
    if destination.content_type is not None:
        yield f"content_type: {_scalar(destination.content_type)}"
    if destination.headers:
        yield "headers:"
        yield from (f"{_INDENT}{_scalar(name)}: {_scalar(value)}" for name, value in destination.headers.items())
    if destination.vars:
        yield "vars:"
        yield from (f"{_INDENT}{_scalar(name)}: {_scalar(value)}" for name, value in destination.vars.items())
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
        yield f"body: {_scalar(text)}"
        return
    # A first line that is blank or begins with one would be taken for the block's own indentation.
    indentation = str(len(_INDENT)) if stripped[0] in " \n\t" else ""
    yield f"body: |{indentation}{'' if breaks else '-'}"
    yield from (f"{_INDENT}{line}" if line else "" for line in stripped.split("\n"))


def _scalar(text: str) -> str:
    """Write one text, quoted where YAML would take it for something else."""
    style = None if text.isprintable() else '"'
    written: str = yaml.safe_dump(text, default_style=style, width=float("inf"), allow_unicode=True)
    return written.removesuffix("...\n").rstrip("\n")


def _comment(text: str) -> str:
    """Keep a text to the one line that a comment is."""
    return " ".join(text.split())
