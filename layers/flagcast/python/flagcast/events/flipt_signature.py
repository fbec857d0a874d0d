"""How Flipt signs a request, which Flagcast checks and can do too."""

import hmac

FLIPT_HEADER = "X-Flipt-Webhook-Signature"


def flipt_signature(body: bytes, secret: str) -> str:
    """Sign as Flipt does: lower-case hex of HMAC-SHA256 over the raw body, keyed by the secret's UTF-8 bytes.

    The rule is Flipt's internal/server/audit/webhook/client.go, the same in every version.
    """
    return hmac.digest(secret.encode(), body, "sha256").hex()
