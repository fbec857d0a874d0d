"""What must hold between the values of one source or destination, beyond their types."""

import re
from collections.abc import Collection, Iterator

from flagcast.core.addresses import in_ascii, is_url
from flagcast.core.config.model import LEAST_MAX_AGE, LONGEST_BACKOFF, LONGEST_TIMEOUT, Destination, Source
from flagcast.core.duration import DAY, MINUTE

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110 section 5.6.2."""

OWN_HEADERS = frozenset({
    "connection", "content-length", "content-type", "host", "transfer-encoding", "user-agent",
    "webhook-id", "webhook-signature", "webhook-timestamp", "x-flipt-webhook-signature",
})  # fmt: skip
"""Headers that Flagcast sets itself."""

Finding = tuple[str, str]
"""Where below the source or destination, and what is wrong there."""


def check_name(name: object) -> Iterator[Finding]:
    """Yield what is wrong with the name of a source or destination."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield "", "a name is 1 to 64 letters, digits, - or _, and begins with a letter or digit"


def check_source(source: Source) -> Iterator[Finding]:
    """Yield what is wrong with a source."""
    has_credentials = bool(source.signing_secrets or source.bearer_tokens)
    if not has_credentials and source.auth is None:
        yield "", "needs signing_secrets or bearer_tokens (auth: none takes requests from anyone)"
    if has_credentials and source.auth is not None:
        yield "auth", "none contradicts the signing_secrets or bearer_tokens beside it"
    if source.flipt_url is not None and not source.flipt_url.startswith(("https://", "http://")):
        yield "flipt_url", "expected the address of Flipt's UI, such as https://flipt.example.com"
    if not source.allow_from:
        yield "allow_from", "is empty, so every request would be rejected; leave it out to accept any address"
    if source.max_age is not None and source.max_age < LEAST_MAX_AGE:
        yield "max_age", f"expected at least {LEAST_MAX_AGE / MINUTE:g}m: Flipt itself can hold an event for that long"


def check_destination(
    destination: Destination, templates: Collection[str], authorities: Collection[str]
) -> Iterator[Finding]:
    """Yield what is wrong with a destination; `templates` and `authorities` are the names of the files there are."""
    yield from _check_url(destination)
    yield from _check_headers(destination)
    yield from _check_retry(destination)
    yield from _check_sign(destination)
    if not 0 < destination.timeout <= LONGEST_TIMEOUT:
        yield "timeout", f"expected more than 0s and at most {LONGEST_TIMEOUT:g}s"
    if not destination.events:
        yield "events", "is empty, so nothing would be sent; leave it out to send every event"
    if destination.body is not None and destination.template is not None:
        yield "template", "stands beside body: a destination has one or the other"
    if destination.template is not None and destination.template not in templates:
        there_are = ", ".join(sorted(templates)) or "none"
        yield "template", f"no file templates/{destination.template}; there are: {there_are}"
    if destination.ca_file is not None and destination.ca_file not in authorities:
        there_are = ", ".join(sorted(authorities)) or "none"
        yield "ca_file", f"no file of PEM certificates by that name beside flagcast.yaml; there are: {there_are}"


def _check_sign(destination: Destination) -> Iterator[Finding]:
    sign = destination.sign
    if sign is not None and sign.scheme == "flipt" and sign.old_secrets:
        yield "sign.old_secrets", "Flipt's header holds one signature; standard-webhooks holds several"


def _check_url(destination: Destination) -> Iterator[Finding]:
    url = destination.url
    begins_with_reference = bool(url.references) and url.startswith(str(url.references[0]))
    if begins_with_reference:
        return
    if not is_url(in_ascii(url.resolve(dict.fromkeys(url.references, "1")))):
        yield "url", "expected https://host/..., or a reference to a secret that holds it"
    elif url.startswith("http://") and not destination.allow_http:
        yield "url", "is not https; allow_http: true permits it"


def _check_headers(destination: Destination) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name in destination.headers:
        if (first := seen.setdefault(name.lower(), name)) != name:
            yield f"headers.{name}", f"is the same header as {first}"
        if not HEADER_NAME.fullmatch(name):
            yield f"headers.{name}", "is not a header name"
        elif name.lower() in OWN_HEADERS:
            hint = "; content_type: sets it" if name.lower() == "content-type" else ""
            yield f"headers.{name}", f"is set by Flagcast{hint}"
    if not destination.content_type.isprintable() or not destination.content_type.isascii():
        yield "content_type", "expected printable ASCII"


def _check_retry(destination: Destination) -> Iterator[Finding]:
    retry = destination.retry
    if retry.initial_interval <= 0:
        yield "retry.initial_interval", "expected more than 0s"
    if not 1 <= retry.multiplier <= 100:
        yield "retry.multiplier", "expected 1 to 100"
    if retry.max_interval < retry.initial_interval:
        yield "retry.max_interval", "is shorter than initial_interval"
    if retry.max_backoff_duration > LONGEST_BACKOFF:
        yield "retry.max_backoff_duration", f"expected at most {LONGEST_BACKOFF / DAY:g} days"
    if any(not 300 <= status <= 599 for status in retry.retry_on):
        yield "retry.retry_on", "expected statuses from 300 to 599"
