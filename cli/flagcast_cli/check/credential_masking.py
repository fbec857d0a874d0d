"""What must not be on a screen, nor in the log of a build: a credential that is written in the file."""

import re
from urllib.parse import parse_qsl, urlsplit

from flagcast.config.model import Destination, Retry, Sign, Source
from flagcast.config.value_path import steps
from flagcast.primitives.network_address import is_url
from flagcast_cli.check.value_positions import Entry, ValuePositions
from flagcast_cli.credentials.detection import is_credential_header, is_credential_url, is_telling_name, looks_random
from flagcast_cli.credentials.vendors import is_secret_address

MASK = "***"
_REFERENCES = re.compile(r"\$\{[^{}]*\}")
_ACTIONS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s\"'<>{}|]+")
_SCHEME = re.compile(r"\b(?:Bearer|Basic)\s+[\w.~+/=-]{3,}", re.IGNORECASE)
_PARTS = re.compile(r"[/?&=#:]+")
_MEMBER = re.compile(r'"([\w.-]+)"\s*:\s*"([^"\\{}]+)"')
_SHORT = 5
_SECRET = frozenset({"signing_secrets", "bearer_tokens", "secret", "old_secrets", "auth"})
_FIELDS = frozenset({name for model in (Source, Destination, Retry, Sign) for name in model.__struct_fields__})
# What is written for `sign` itself, and not below it, may be meant as the secret.
_KNOWN = _FIELDS - _SECRET - {"sign"}


def is_credential(path: str, text: str) -> bool:
    """Return whether a text at a path is surely a credential: what is warned of."""
    keys, literal = _below(path), _literal(text)
    if not literal.strip() or _is_arn(keys, text):
        return False
    if not _SECRET.isdisjoint(map(str, keys)):
        return (keys, text) != (["auth"], "none")
    if keys == ["url"]:
        return _lets_in(text) or _is_in_address(literal)
    if keys[:1] in (["headers"], ["vars"]):
        is_named = is_telling_name(str(keys[-1])) and literal == text
        if is_url(literal):
            return is_named or _lets_in(text) or _is_in_address(literal)
        return is_named or looks_random(literal) or _lets_in(text)
    return keys == ["body"] and is_in_template(text)


def is_in_template(text: str) -> bool:
    """Return whether the text of a template holds what is surely a credential."""
    members = _MEMBER.findall(_literal(text))
    return _lets_in(text) or any(is_telling_name(name) and looks_random(value) for name, value in members)


def is_hidden(path: str, text: str) -> bool:
    """Return whether a text is not shown, as it may be a credential: in doubt it is one."""
    keys, literal = _below(path), _literal(text)
    if not literal.strip() or _is_arn(keys, text):
        return False
    if is_credential(path, text):
        return True
    if keys == ["url"]:
        shown = text if is_url(text) else _REFERENCES.sub("x", text)
        return not is_url(shown) or _may_let_in(shown)
    if keys[:1] == ["headers"]:
        return is_credential_header(str(keys[-1]), literal)
    if keys[:1] == ["vars"]:
        return len(literal) > _SHORT
    names = [each for each in keys if isinstance(each, str)]
    return path != "notify" and not _KNOWN.issuperset(names) and names[-1:] != ["scheme"] and len(text) > _SHORT


def shown_line(number: int, line: str, places: ValuePositions) -> str | None:
    """Return a line of the file with its credentials masked, None where it cannot be shown at all.

    Where the file could not be read as YAML, whatever a telling name is followed by may be one.
    """
    spans = [
        (entry.value.column - 1, _end(entry, line))
        for path, entry in places.entries.items()
        if entry.value.line == number and entry.text is not None and is_hidden(path, entry.text)
    ]
    for start, end in sorted(spans, reverse=True):
        # As long as it was, so that the caret is under what it points to.
        line = line[:start] + MASK.ljust(end - start, "*")[: end - start] + line[end:]
    literal = _literal(line)
    for path, entry in places.entries.items():
        if entry.value.line == number and entry.text is not None and _is_arn(_below(path), entry.text):
            literal = literal.replace(entry.text, "")
    if _lets_in(literal) or looks_random(literal) or (not places.entries and is_telling_name(literal)):
        return None
    return line


def _below(path: str) -> list[str | int]:
    """Return the keys below a source, a destination or the defaults."""
    return steps(path)[1 if path.startswith("defaults") else 2 :]


def _is_arn(keys: list[str | int], text: str) -> bool:
    """Return whether a text is an ARN in the place of an address: its account looks random, and lets no one in."""
    return keys == ["url"] and text.startswith("arn:aws")


def _literal(text: str) -> str:
    return _ACTIONS.sub("", _REFERENCES.sub("", text))


def _may_let_in(url: str) -> bool:
    """Return whether an address may let in anyone who knows it: by anything of its path that is no common word."""
    parts = urlsplit(url)
    host, rest = parts.hostname or "", url.partition("//")[2].partition(parts.netloc)[2]
    return looks_random(host) or is_secret_address(host, parts.path) or is_credential_url(f"https://example.com{rest}")


def _is_in_address(url: str) -> bool:
    """Return whether a part of an address looks random, or its query names a credential: /v2/alerts is none."""
    query = urlsplit(url).query if is_url(url) else ""
    return any(map(looks_random, _PARTS.split(url))) or any(is_telling_name(name) for name, _ in parse_qsl(query))


def _lets_in(text: str) -> bool:
    """Return whether a text holds an address or header that lets in anyone who knows it; a secret's end does not."""
    text = _ACTIONS.sub("\0", _REFERENCES.sub("\0", text))
    if _SCHEME.search(text):
        return True
    for address in _ADDRESS.findall(text):
        try:
            parts = urlsplit(address)
        except ValueError:
            continue
        is_whole = "\0" not in address
        if "@" in parts.netloc or (is_whole and is_secret_address(parts.hostname or "", parts.path)):
            return True
    return False


def _end(entry: Entry, line: str) -> int:
    return entry.value.end - 1 if entry.value.end else len(line)
