"""What must not be on a screen, nor in the log of a build: a credential that is written in the file."""

import re

from flagcast.core.addresses import is_url
from flagcast.core.config.model import Destination, Retry, Sign, Source
from flagcast.core.config.paths import steps
from flagcast_cli.checking.places import Entry, Places
from flagcast_cli.importing.credentials import credentials_in, is_credential_url, is_telling_name, looks_random

MASK = "***"
_REFERENCES = re.compile(r"\$\{[^{}]*\}")
_SHORT = 5
_SECRET = frozenset({"signing_secrets", "bearer_tokens", "secret", "old_secrets", "auth"})
_KNOWN = frozenset({name for model in (Source, Destination, Retry, Sign) for name in model.__struct_fields__} - _SECRET)


def is_credential(path: str, text: str) -> bool:
    """Tell whether a text at a path looks like a credential; what stands for one does not."""
    keys = steps(path)[1 if path.startswith("defaults") else 2 :]
    literal = _REFERENCES.sub("", text)
    if not literal.strip():
        return False
    if not _SECRET.isdisjoint(map(str, keys)):
        return (keys, text) != (["auth"], "none")
    key = next((each for each in reversed(keys) if isinstance(each, str)), "")
    if key == "url":
        shown = text if is_url(text) else _REFERENCES.sub("x", text)
        return not is_url(shown) or is_credential_url(text)
    if key in _KNOWN and "headers" not in keys[:-1] and "vars" not in keys[:-1]:
        return any(True for _ in credentials_in(literal))
    is_named = is_telling_name(key) and literal == text and "{{" not in text
    return is_named or looks_random(literal) or any(True for _ in credentials_in(literal))


def is_hidden(path: str, text: str) -> bool:
    """Tell whether a text is not shown: a credential, or what a key that no one knows may hold."""
    keys = steps(path)
    is_known = keys[-1] in _KNOWN or not {"headers", "vars", *_SECRET}.isdisjoint(map(str, keys)) or keys[0] == "notify"
    is_item = isinstance(keys[-1], int) or keys[-1] == "scheme"
    return is_credential(path, text) or not (is_known or is_item or len(text) <= _SHORT)


def shown_line(number: int, line: str, places: Places) -> str | None:
    """Return a line of the file with its credentials masked, None where it cannot be shown at all.

    Where the file could not be read as YAML, whatever a telling name is followed by may be one.
    """
    spans: list[tuple[int, int]] = []
    for path, entry in places.entries.items():
        if entry.value.line == number and entry.text is not None and is_hidden(path, entry.text):
            spans.append((entry.value.column - 1, _end(entry, line)))
    for start, end in sorted(spans, reverse=True):
        # As long as it was, so that the caret is under what it points to.
        line = line[:start] + MASK.ljust(end - start, "*")[: end - start] + line[end:]
    if not places.entries and is_telling_name(line):
        return None
    return None if next(credentials_in(line), None) else line


def _end(entry: Entry, line: str) -> int:
    return entry.value.end - 1 if entry.value.end else len(line)
