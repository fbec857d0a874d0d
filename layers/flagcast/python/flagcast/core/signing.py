"""Signatures on what is sent, by which a destination can tell that it comes from here."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal, assert_never

from msgspec import Struct

from flagcast.core.signature import FLIPT_HEADER, flipt_signature

_PREFIX = "whsec_"
Scheme = Literal["standard-webhooks", "flipt"]


class BadSecret(Struct, frozen=True):
    """A secret that the scheme cannot sign with; `detail` says why without repeating it."""

    detail: str


def signature_headers(scheme: Scheme, secret: str, stamp: Mapping[str, str], body: bytes) -> dict[str, str] | BadSecret:
    """Sign a request; `stamp` holds its Webhook-Id and Webhook-Timestamp.

    Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
    Flipt: internal/server/audit/webhook/client.go, over the body alone.
    """
    match scheme:
        case "flipt" if not secret:
            return BadSecret("expected a secret that is not empty")
        case "flipt":
            return {FLIPT_HEADER: flipt_signature(body, secret)}
        case "standard-webhooks":
            try:
                key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if not key:
                return BadSecret(f"expected {_PREFIX} and Base64")
            signed = f"{stamp['Webhook-Id']}.{stamp['Webhook-Timestamp']}.".encode() + body
            digest = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
            return {"Webhook-Signature": f"v1,{digest}"}
    assert_never(scheme)
