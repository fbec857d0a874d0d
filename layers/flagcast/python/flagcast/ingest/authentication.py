"""Whether a request is genuine, by the secrets of its source."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from flagcast.config.model import Source
from flagcast.config.secret_references import Reference
from flagcast.errors import SecretUnavailable
from flagcast.ingest.credential_check import is_known, is_signed, presented_signature, presented_token
from flagcast.ingest.http_api import Request


class SecretLookup(Protocol):
    """Where the values of references come from, those that can be had."""

    def lookup(
        self, references: Sequence[Reference], deadline: float, *, fresh: bool = False
    ) -> tuple[Mapping[Reference, str], Sequence[str]]:
        """Return the values there are, and a sentence for each reference that has none."""


def is_genuine(request: Request, source: Source, secrets: SecretLookup, deadline: float) -> bool:
    """Return whether one of the source's secrets proves the request, over its raw body.

    Before it says no, the secrets are fetched afresh: Flipt from 1.45 never sends again after a 401, so a secret
    that was just rotated must not cost an event. Raises SecretUnavailable where a no could be due to a secret that
    cannot be had; the deadline is in monotonic seconds.
    """
    if source.auth == "none":
        return True
    signature, token = presented_signature(request.headers), presented_token(request.headers)
    signing = [each.reference for each in source.signing_secrets] if signature is not None else []
    bearing = [each.reference for each in source.bearer_tokens] if token is not None else []
    if not signing and not bearing:
        return False
    missing: Sequence[str] = ()
    for fresh in (False, True):
        values, missing = secrets.lookup([*signing, *bearing], deadline, fresh=fresh)
        signed = is_signed(request.body, signature or "", [values[each] for each in signing if each in values])
        known = is_known(token or "", [values[each] for each in bearing if each in values])
        if signed or known:
            return True
    if missing:
        raise SecretUnavailable("; ".join(missing))
    return False
