"""The state of a thing as its row keeps it: its payload, the longest values as their digest where all is too large."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

LARGEST_STATE: Final = 16 * 1024
"""Bytes of JSON of one state; a row holds two of them, and DynamoDB bills a write by the KB."""

State = Mapping[str, Any]


def kept(payload: State) -> dict[str, Any] | None:
    """Return what is kept of a payload; None where not even its digests fit."""
    if _size(payload) <= LARGEST_STATE:
        return dict(payload)
    kept = dict(payload)
    for name in sorted(payload, key=lambda each: len(msgspec.json.encode(payload[each])), reverse=True):
        kept[name] = digest(payload[name])
        if _size(kept) <= LARGEST_STATE:
            return kept
    return None


def digest(value: object) -> dict[str, Any]:
    """Return what stands for a long value: its length and hash, of a text's UTF-8, else of its JSON."""
    written = value.encode(errors="surrogatepass") if isinstance(value, str) else msgspec.json.encode(value)
    return {"bytes": len(written), "sha256": hashlib.sha256(written).hexdigest()}


def is_digest(value: object) -> bool:
    """Tell whether a kept value is a digest; no value that Flipt sends looks like one."""
    return isinstance(value, dict) and value.keys() == {"bytes", "sha256"}


def _size(state: State) -> int:
    return len(msgspec.json.encode(state))
