"""What must hold between the values of one source or destination, beyond their types."""

import re
from collections.abc import Collection, Iterator

from flagcast.config.archive_destination import ARCHIVE
from flagcast.config.decode import meant
from flagcast.config.model import LEAST_MAX_AGE, LONGEST_BACKOFF, LONGEST_TIMEOUT, Destination, Problem, Source
from flagcast.config.value_path import item, join
from flagcast.primitives.duration import HOUR, MINUTE
from flagcast.primitives.network_address import in_ascii, is_url
from flagcast.primitives.value_display import shown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""A token of RFC 9110 section 5.6.2; a type is two of them, section 8.3.1."""
HEADER_NAME = re.compile(_WORD)

OWN_HEADERS = frozenset({
    "connection", "content-length", "content-type", "flagcast-replay", "host", "transfer-encoding", "user-agent",
    "webhook-id", "webhook-signature", "webhook-timestamp", "x-flipt-webhook-signature",
})  # fmt: skip
"""Headers that Flagcast sets itself."""


def check_name(name: object) -> Iterator[Problem]:
    """Yield what is wrong with the name of a source or destination."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield Problem(
            "",
            f"{shown(name)} is not a valid name; use 1 to 64 letters, digits, - or _, beginning with a letter or digit",
            "" if isinstance(name, str) else "quote it",
            is_key=True,
        )


def check_destination_name(name: object) -> Iterator[Problem]:
    """Yield what is wrong with the name of a destination."""
    yield from check_name(name)
    if name == ARCHIVE:
        what = "is reserved for the archive, which the parameter ArchiveDays turns on; use another name"
        yield Problem("", what, is_key=True)


def check_source(source: Source) -> Iterator[Problem]:
    """Yield what is wrong with a source."""
    has_credentials = bool(source.signing_secrets or source.bearer_tokens)
    if not has_credentials and source.auth is None:
        yield Problem("", "needs signing_secrets or bearer_tokens (auth: none accepts requests from anyone)")
    if has_credentials and source.auth is not None:
        yield Problem("auth", "none cannot be used together with signing_secrets or bearer_tokens")
    if source.flipt_url is not None and not source.flipt_url.startswith(("https://", "http://")):
        yield Problem("flipt_url", "expected the address of Flipt's UI, such as https://flipt.example.com")
    if not source.allow_from:
        yield Problem("allow_from", "is empty, so every request would be rejected; leave it out to accept any address")
    if source.max_age is not None and source.max_age < LEAST_MAX_AGE:
        least = f"{LEAST_MAX_AGE / MINUTE:g}m"
        yield Problem("max_age", f"is too short; use at least {least}: Flipt itself can hold an event for that long")


def check_destination(
    destination: Destination, templates: Collection[str], authorities: Collection[str]
) -> Iterator[Problem]:
    """Yield what is wrong with a destination; `templates` and `authorities` are the names of the files there are."""
    yield from _check_url(destination)
    yield from _check_headers(destination)
    yield from _check_retry(destination)
    yield from _check_sign(destination)
    if not 0 < destination.timeout <= LONGEST_TIMEOUT:
        what = f"{destination.timeout:g}s is not allowed; use more than 0s and at most {LONGEST_TIMEOUT:g}s"
        yield Problem("timeout", what)
    if not destination.events:
        yield Problem("events", "is empty, so nothing would be sent; leave it out to send every event")
    if destination.body is not None and destination.template is not None:
        yield Problem("template", "cannot be used together with body; delete one of the two")
    if destination.template is not None and destination.template not in templates:
        yield Problem("template", f"no file templates/{destination.template}", _one_of(destination.template, templates))
    if destination.ca_file is not None and destination.ca_file not in authorities:
        what = "there is no .pem file of this name beside flagcast.yaml"
        yield Problem("ca_file", what, _one_of(destination.ca_file, authorities))


def _one_of(name: str, names: Collection[str]) -> str:
    return meant(name, names) or f"there are: {', '.join(sorted(names)) or 'none'}"


def _check_sign(destination: Destination) -> Iterator[Problem]:
    sign = destination.sign
    if sign is not None and sign.scheme == "flipt" and sign.old_secrets:
        yield Problem(
            "sign.old_secrets",
            "is not allowed with scheme flipt, whose header has one signature; use standard-webhooks",
        )


def _check_url(destination: Destination) -> Iterator[Problem]:
    url = destination.url
    if destination.is_aws:
        # Not at the top: a function whose destinations are all HTTP's never needs it.
        from flagcast.config.target_validation import check_target

        yield from check_target(destination)
        return
    begins_with_reference = bool(url.references) and url.startswith(str(url.references[0]))
    if begins_with_reference:
        return
    if not is_url(in_ascii(url.resolve(dict.fromkeys(url.references, "1")))):
        expected = "expected https://host/..., an ARN, or a reference to a secret with the address"
        user = "contains a user or password; send it as headers: Authorization: Basic ${secret:NAME}"
        yield Problem("url", user if re.match(r"https?://[^/?#]*@", url) else expected)
    elif url.startswith("http://") and not destination.allow_http:
        yield Problem("url", "is not https; allow_http: true allows it")


def _check_headers(destination: Destination) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name in destination.headers:
        if (first := seen.setdefault(name.lower(), name)) != name:
            yield Problem(join("headers", name), f"is the same header as {first}", is_key=True)
        if not HEADER_NAME.fullmatch(name):
            yield Problem(join("headers", name), "is not a header name", is_key=True)
        elif name.lower() in OWN_HEADERS:
            hint = "; content_type: sets it" if name.lower() == "content-type" else ""
            yield Problem(join("headers", name), f"is set by Flagcast{hint}", is_key=True)
    if not destination.content_type.isprintable() or not destination.content_type.isascii():
        yield Problem("content_type", "expected printable ASCII")
    elif not re.fullmatch(rf"{_WORD}/{_WORD} *(;.*)?", destination.content_type):
        # What is not JSON is not escaped for JSON, so a type that is none must not pass for one that is something else.
        yield Problem(
            "content_type", f"expected a type such as application/json, got {shown(destination.content_type)}"
        )


def _check_retry(destination: Destination) -> Iterator[Problem]:
    retry = destination.retry
    if retry.initial_interval <= 0:
        yield Problem("retry.initial_interval", "is 0s; use more")
    if not 1 <= retry.multiplier <= 100:
        yield Problem("retry.multiplier", f"{retry.multiplier:g} is not allowed; use 1 to 100")
    if retry.max_interval < retry.initial_interval:
        yield Problem("retry.max_interval", "is shorter than initial_interval")
    if retry.max_backoff_duration > LONGEST_BACKOFF:
        yield Problem("retry.max_backoff_duration", f"is too long; use at most {LONGEST_BACKOFF / HOUR:g}h, 12 days")
    for index, status in enumerate(retry.retry_on):
        if not 300 <= status <= 599:
            yield Problem(item("retry.retry_on", index), f"{status} is not allowed; use statuses from 300 to 599")
