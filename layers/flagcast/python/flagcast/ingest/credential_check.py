"""Proof that a request is genuine, over its raw bytes and in constant time."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Final

from flagcast.events.flipt_signature import FLIPT_HEADER, flipt_signature

_SIGNATURE: Final = re.compile("[0-9a-f]{64}")
"""What a signature looks like (events/flipt_signature.py)."""


def presented_signature(headers: Mapping[str, str]) -> str | None:
    """Return the signature a request carries; header names are lower-case."""
    return headers.get(FLIPT_HEADER.lower())


def kept_signature(headers: Mapping[str, str]) -> str | None:
    """Return the signature that the archive keeps: one that Flipt could have made."""
    presented = presented_signature(headers) or ""
    return presented if _SIGNATURE.fullmatch(presented) else None


def presented_token(headers: Mapping[str, str]) -> str | None:
    """Return the bearer token a request carries (RFC 6750 section 2.1; the scheme in any case)."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def is_signed(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Return whether one of the secrets made this signature; every secret is tried, so time tells nothing."""
    return _one_of(signature, (flipt_signature(body, secret) for secret in secrets))


def is_known(token: str, tokens: Iterable[str]) -> bool:
    """Return whether the token is one of those expected; compared by digest, so that length tells nothing."""
    return _one_of(_digest(token), map(_digest, tokens))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _one_of(presented: str, expected: Iterable[str]) -> bool:
    given = presented.encode(errors="surrogatepass")
    matches = [hmac.compare_digest(given, each.encode()) for each in expected]
    return any(matches)
