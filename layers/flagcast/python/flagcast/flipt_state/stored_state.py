"""The state of a thing as its row keeps it: its payload, the longest values as their digest where all is too large."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

LARGEST_STATE: Final = 16 * 1024
"""Bytes of JSON of one state; a row holds two of them, and DynamoDB bills a write by the KB."""

State = Mapping[str, Any]

_LONGEST: Final = 2**32
_SHA256: Final = re.compile("[0-9a-f]{64}")


def kept(payload: State) -> dict[str, Any] | None:
    """Return what is kept of a payload; None where not even its digests fit."""
    if _size(payload) <= LARGEST_STATE:
        return dict(payload)
    kept = _copied(payload)
    for part, name in sorted(_values(kept), key=lambda place: _size(place[0][place[1]]), reverse=True):
        part[name] = digest(part[name])
        if _size(kept) <= LARGEST_STATE:
            return kept
    return None


def digest(value: object) -> dict[str, Any]:
    """Return what stands for a long value: its length and hash, of a text's UTF-8, else of its JSON."""
    written = value.encode(errors="surrogatepass") if isinstance(value, str) else msgspec.json.encode(value)
    return {"bytes": len(written), "sha256": hashlib.sha256(written).hexdigest()}


def is_digest(value: object) -> bool:
    """Return whether a kept value is a digest; no value that Flipt sends looks like one, and no other has its types."""
    if not isinstance(value, dict) or value.keys() != {"bytes", "sha256"}:
        return False
    length, sha256 = value["bytes"], value["sha256"]
    is_length = isinstance(length, int) and not isinstance(length, bool) and 0 <= length < _LONGEST
    return is_length and isinstance(sha256, str) and _SHA256.fullmatch(sha256) is not None


def _copied(state: State) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, dict) else value for name, value in state.items()}


def _values(state: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield where the values are that are compared by themselves: of a part with members, each of these."""
    for name, value in state.items():
        if isinstance(value, dict) and value:
            yield from _values(value)
        else:
            yield state, name


def _size(value: object) -> int:
    return len(msgspec.json.encode(value))
