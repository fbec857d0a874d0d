"""Signatures on what is sent, by which a destination can tell that it comes from here."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Literal, assert_never

from msgspec import Struct

from flagcast.events.flipt_signature import FLIPT_HEADER, flipt_signature

_PREFIX = "whsec_"
Scheme = Literal["standard-webhooks", "flipt"]


class BadSecret(Struct, frozen=True):
    """A secret that the scheme cannot sign with; `detail` says why without repeating it."""

    detail: str


def signature_headers(
    scheme: Scheme, secrets: Sequence[str], stamp: Mapping[str, str], body: bytes
) -> dict[str, str] | BadSecret:
    """Sign a request with every secret; `stamp` holds its Webhook-Id and Webhook-Timestamp.

    Standard Webhooks, whose header holds a signature for each secret, so that one can be replaced without a gap:
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
    Flipt, whose header holds that of the first: internal/server/audit/webhook/client.go, over the body alone.
    """
    match scheme:
        case "flipt":
            # HMAC takes an empty key, and anyone can make that signature.
            return {FLIPT_HEADER: flipt_signature(body, secrets[0])} if secrets[0] else BadSecret("a secret is empty")
        case "standard-webhooks":
            signed = f"{stamp['Webhook-Id']}.{stamp['Webhook-Timestamp']}.".encode() + body
            signatures: list[str] = []
            for secret in secrets:
                if not (key := _key(secret)):
                    return BadSecret(f"expected {_PREFIX} and Base64")
                signatures.append(f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}")
            return {"Webhook-Signature": " ".join(signatures)}
    assert_never(scheme)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
