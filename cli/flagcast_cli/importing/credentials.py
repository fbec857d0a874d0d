"""What looks like a credential: better one secret too many than one in a file that is committed.

Addresses let in whoever knows them: https://docs.slack.dev/tools/java-slack-sdk/guides/incoming-webhooks,
https://docs.discord.com/developers/resources/webhook,
https://docs.snowflake.com/en/user-guide/notifications/webhook-notifications (Slack, Teams, PagerDuty).
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from flagcast_cli.importing.services import is_secret_address

_TELLING = re.compile(r"token|secret|passw|passphrase|credential|cookie|jwt|bearer|signature|api-?_?key", re.IGNORECASE)
_TELLING_WORDS = frozenset({
    "auth", "authentication", "authorization", "key", "pass", "pat", "pwd", "session", "sid", "sig", "code",
})  # fmt: skip
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_KNOWN_FORM = re.compile(
    r"\b(?:xox[a-z]-|xapp-|gh[pousr]_|github_pat_|glpat-|glsa_|sk_|sk-|rk_|AKIA|ASIA|eyJ|NRAK-|SG\.|hvs\.|whsec_|npm_|pypi-|dop_v1_)"
    r"[A-Za-z0-9_.-]{8,}"
)
_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z0-9]{16,}")
_LONG_RUN = 32
_MEMBER = re.compile(r'"([A-Za-z0-9_.-]+)"\s*:\s*"((?:[^"\\\n]|\\.)*)"')
_ADDRESS = re.compile(r"https?://[^\s\"'<>{}|]+")
_SHORTEST_MEMBER = 8


class Suspicion(Struct, frozen=True):
    """A line of a body, and what on it looks like a credential; never the value itself."""

    line: int
    what: str


def is_credential_header(name: str, value: str) -> bool:
    """Tell whether a header's value looks like a credential, by the header's name or by itself."""
    return bool(value) and (is_telling_name(name) or looks_random(value) or _holds_secret_address(value))


def is_credential_url(url: str) -> bool:
    """Tell whether whoever knows this address may use it; user and password in it are the caller's to look for."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False  # no address at all
    if is_secret_address(parts.hostname or "", parts.path):
        return True
    members = parse_qsl(parts.query, keep_blank_values=True)
    return any(value and (is_telling_name(name) or looks_random(value)) for name, value in members) or looks_random(
        parts.path
    )


def credentials_in(body: str) -> Iterator[Suspicion]:
    """Yield what looks like a credential in a template's own text, at most one for each line."""
    for number, line in enumerate(body.split("\n"), 1):
        if (what := _suspect(line)) is not None:
            yield Suspicion(number, what)


def is_telling_name(name: str) -> bool:
    """Tell whether a name says that what it names is a credential: Authorization, X-Api-Key, routing_key, sig."""
    return bool(_TELLING.search(name)) or not _TELLING_WORDS.isdisjoint(each.lower() for each in _WORDS.findall(name))


def looks_random(text: str) -> bool:
    """Tell whether a text holds what nobody made up: a known form of token, a UUID, a long run of characters."""
    if _KNOWN_FORM.search(text) or _UUID.search(text):
        return True
    runs = _RUN.findall(text)
    return any(len(run) >= _LONG_RUN or (not run.isalpha() and not run.isdigit()) for run in runs)


def _suspect(line: str) -> str | None:
    member: re.Match[str]
    for member in _MEMBER.finditer(line):
        name, value = member[1], member[2]
        if is_telling_name(name) and name.lower() != "key" and _is_literal(value):
            return name
    if _holds_secret_address(line):
        return "an address that lets in whoever knows it"
    return "a long random text" if looks_random(line) else None


def _is_literal(value: str) -> bool:
    return len(value) >= _SHORTEST_MEMBER and "{{" not in value and " " not in value


def _holds_secret_address(text: str) -> bool:
    return any(_has_user(each) or is_credential_url(each) for each in _ADDRESS.findall(text))


def _has_user(address: str) -> bool:
    return "@" in address.split("://", 1)[1].split("/", 1)[0]
