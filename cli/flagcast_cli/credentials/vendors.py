"""The services that hosts belong to: what people call them, and whether to know an address there is to be let in."""

import re

from msgspec import Struct

_NAME_LENGTH = 50
"""Of the 64 characters of a destination's name, so that a number can follow."""

_FALLBACK = "webhook"


class _Service(Struct, frozen=True):
    name: str
    hosts: tuple[str, ...]
    address_is_secret: bool = False


_SERVICES = (
    _Service("slack", ("hooks.slack.com", "hooks.slack-gov.com"), address_is_secret=True),
    _Service("slack", ("slack.com",)),
    _Service("discord", ("discord.com", "discordapp.com"), address_is_secret=True),
    _Service(
        "teams",
        ("webhook.office.com", "outlook.office.com", "logic.azure.com", "powerplatform.com"),
        address_is_secret=True,
    ),
    _Service("google-chat", ("chat.googleapis.com",), address_is_secret=True),
    _Service("telegram", ("api.telegram.org",), address_is_secret=True),
    _Service("zapier", ("hooks.zapier.com",), address_is_secret=True),
    _Service("ifttt", ("maker.ifttt.com",), address_is_secret=True),
    _Service("make", ("make.com",), address_is_secret=True),
    _Service("pagerduty", ("pagerduty.com",)),
    _Service("opsgenie", ("opsgenie.com",)),
    _Service("datadog", ("datadoghq.com", "datadoghq.eu")),
    _Service("new-relic", ("newrelic.com",)),
)


def name_for(host: str, *, shown: bool) -> str:
    """Return a readable name for a destination: ``slack`` for hooks.slack.com, ``hooks-example-com`` for another.

    Of a host that is not to be `shown`, whose subdomain may be a token, it is the domain's.
    """
    if (service := _service(host)) is not None:
        return service.name
    return as_name(host if shown else ".".join(host.split(".")[-2:]))


def is_known_host(host: str) -> bool:
    """Return whether a host is a service's that everyone uses, so that its name says nothing."""
    return any(host.lower() in each.hosts for each in _SERVICES) or (
        (service := _service(host)) is not None and not service.address_is_secret
    )


def as_name(text: str) -> str:
    """Make a name of any text: ASCII letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:_NAME_LENGTH].strip("-") or _FALLBACK


def is_secret_address(host: str, path: str) -> bool:
    """Return whether an address at this host lets in anyone who knows it, once it says more than the host."""
    service = _service(host)
    return service is not None and service.address_is_secret and path not in ("", "/")


def _service(host: str) -> _Service | None:
    host = host.lower()
    return next(
        (each for each in _SERVICES if any(host == one or host.endswith(f".{one}") for one in each.hosts)), None
    )
