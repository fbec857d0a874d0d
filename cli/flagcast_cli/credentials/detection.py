"""What may be a credential. In doubt it is one: one too many costs a name, one too few is committed.

So an address or header is shown only if all of it is known to be harmless. An address lets in anyone who knows it:
https://docs.slack.dev/tools/java-slack-sdk/guides/incoming-webhooks,
https://docs.discord.com/developers/resources/webhook,
https://docs.snowflake.com/en/user-guide/notifications/webhook-notifications (Slack, Teams, PagerDuty).
"""

import re
from urllib.parse import urlsplit

from flagcast_cli.credentials.vendors import is_known_host, is_secret_address

_TELLING = re.compile(r"token|secret|passw|passphrase|credential|cookie|jwt|bearer|signature|api-?_?key", re.IGNORECASE)
_TELLING_WORDS = frozenset({
    "auth", "authentication", "authorization", "code", "hmac", "key", "otp", "pass", "pat", "pin", "pw", "pwd",
    "session", "sid", "sig",
})  # fmt: skip
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

_KNOWN_FORM = re.compile(
    r"\b(?:xox[a-z]-|xapp-|gh[pousr]_|github_pat_|glpat-|glsa_|sk_|sk-|rk_|AKIA|ASIA|eyJ|NRAK-|SG\.|hvs\.|whsec_|npm_|pypi-|dop_v1_)"
    r"[A-Za-z0-9_.-]{8,}"
)
_RUN = re.compile(r"[A-Za-z0-9_+/=~-]{12,}")
_LONGEST_WORD = 20
"""Letters; a longer run of them is no word that a person wrote."""

_HARMLESS_HEADERS = re.compile(
    r"accept(-charset|-encoding|-language)?|cache-control|ce-[a-z]+|content-[a-z]+|user-agent|x-requested-with",
    re.IGNORECASE,
)
_HARMLESS_WORDS = frozenset({
    "alert", "alerts", "api", "audit", "audits", "automation", "callback", "enqueue", "event", "events", "flag",
    "flags", "flipt", "hook", "hooks", "in", "inbound", "incoming", "ingest", "log", "logs", "message", "messages",
    "notification", "notifications", "notify", "receive", "receiver", "record", "records", "rest", "v1", "v2", "v3",
    "v4", "webhook", "webhooks", "www",
})  # fmt: skip
"""Words of which paths and names of hosts are made; whatever else is there may be what lets in."""
_SEPARATORS = re.compile(r"[/_.-]+")


def is_credential_header(name: str, value: str) -> bool:
    """Return whether a header's value may be a credential: unless the header is known to hold none."""
    harmless = _HARMLESS_HEADERS.fullmatch(name) is not None and "//" not in value
    telling = any(map(is_telling_name, (name, value)))
    return bool(value) and (telling or not harmless or looks_random(value))


def is_credential_url(url: str) -> bool:
    """Return whether knowing this address may be enough to get in; the caller looks for a user in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return True  # No address: then nothing is known of it.
    host = parts.hostname or ""
    if parts.query or parts.fragment or is_secret_address(host, parts.path):
        return True
    return not (_is_harmless(parts.path) and is_harmless_host(host))


def is_harmless_host(host: str) -> bool:
    """Return whether a host's name holds no token: it is a service's, or its subdomain is of common words."""
    if is_known_host(host) or host.replace(".", "").isdecimal() or ":" in host:
        return True
    labels = host.split(".")
    return _is_harmless(".".join(labels[:-2])) and not any(looks_random(each) for each in labels)


def is_telling_name(name: str) -> bool:
    """Return whether a name says that what it names is a credential: Authorization, X-Api-Key, routing_key, sig."""
    return bool(_TELLING.search(name)) or not _TELLING_WORDS.isdisjoint(each.lower() for each in _WORDS.findall(name))


def looks_random(text: str) -> bool:
    """Return whether a text holds what no one made up: a known form of token, a long run of letters or digits."""
    return random_part(text) is not None


def random_part(text: str) -> tuple[int, int] | None:
    """Return where in a text the first part is that looks random."""
    found = [(each.start(), each.end()) for each in _KNOWN_FORM.finditer(text)]
    found += [(each.start(), each.end()) for each in _RUN.finditer(text) if _is_random(each[0])]
    return min(found, default=None)


def _is_random(run: str) -> bool:
    letters = [each for each in re.findall(r"[A-Za-z]+", run) if len(each) > _LONGEST_WORD]
    return bool(letters) or (any(each.isdigit() for each in run) and any(each.isalpha() for each in run))


def _is_harmless(text: str) -> bool:
    return all(word.lower() in _HARMLESS_WORDS for word in _SEPARATORS.split(text) if word)
