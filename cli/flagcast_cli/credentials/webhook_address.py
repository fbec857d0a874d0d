"""The address of one of Flipt's webhooks: what is right about it, and what Go's client makes of a user in it."""

import base64
import re
from ipaddress import ip_address, ip_network
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from flagcast_cli.console import CommandError

_PARTS = re.compile(
    r"(https?)://(?:([^\s/?#\0-\x1f\x7f]*)@)?(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\0-\x1f\x7f]+)(:\d+)?([/?#][^\s\0-\x1f\x7f]*)?",
    re.IGNORECASE,
)

_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8")
"""https://datatracker.ietf.org/doc/html/rfc1918 and https://datatracker.ietf.org/doc/html/rfc4193."""

_INTERNAL = (".local", ".localhost", ".internal", ".svc", ".lan", ".home.arpa")


class Address(Struct, frozen=True):
    """An address without its user, and the credentials that the user was."""

    scheme: str
    host: str
    url: str
    basic: str | None
    """What goes after `Authorization: Basic`: Go sends a user in the address so, unless that header is set."""

    @property
    def is_local(self) -> bool:
        """Return whether it is the machine that asks."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost" or self.host.lower().endswith(".localhost")

    @property
    def subnets(self) -> tuple[str, ...]:
        """Return the subnets that the address is in: its own, or those that a private network may have."""
        try:
            return (str(ip_network(self.host)),)
        except ValueError:
            return _PRIVATE


def is_internal(host: str) -> bool:
    """Return whether a host is by its name or number known only inside a network, such as a cluster's."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.lower().endswith(_INTERNAL)


def read_address(path: str, text: str) -> Address:
    """Read an address; raises CommandError, which does not repeat it."""
    if "${" in text:
        raise CommandError(
            f"{path}: ${{...}} is part of a longer address, where Flipt does not replace it",
            "Flipt replaces ${NAME} only if it is the whole value: put the whole address into the variable.",
        )
    if (found := _PARTS.fullmatch(text)) is None:
        raise CommandError(f"{path}: is not an http:// or https:// address", "Flipt cannot send there either: fix it.")
    scheme, user, host, port, rest = found.groups()
    url = f"{scheme.lower()}://{host}{port or ''}{rest or ''}"
    return Address(scheme.lower(), host.strip("[]"), url, None if not user else _basic(user))


def _basic(user: str) -> str:
    """Write a user and password as Go's http.Client does: https://github.com/golang/go/issues/11399."""
    name, _, password = user.partition(":")
    return base64.b64encode(unquote_to_bytes(name) + b":" + unquote_to_bytes(password)).decode()
