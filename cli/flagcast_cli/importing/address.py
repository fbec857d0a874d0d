"""The address of one of Flipt's webhooks: what is right about it, and what Go's client makes of a user in it."""

import base64
import re
from ipaddress import ip_address
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from flagcast_cli.console import CommandError

_PARTS = re.compile(
    r"(https?)://(?:([^\s/?#\0-\x1f\x7f]*)@)?(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\0-\x1f\x7f]+)(:\d+)?([/?#][^\s\0-\x1f\x7f]*)?",
    re.IGNORECASE,
)

_INTERNAL = (".local", ".localhost", ".internal", ".svc", ".lan", ".home.arpa")


class Address(Struct, frozen=True):
    """An address without its user, and the credentials that the user was."""

    scheme: str
    host: str
    url: str
    basic: str | None
    """What goes after `Authorization: Basic`: Go sends a user in the address so, unless that header is set."""

    @property
    def is_internal(self) -> bool:
        """Tell whether the host is by its name or number known only inside a network, such as a cluster's."""
        try:
            return not ip_address(self.host).is_global
        except ValueError:
            return "." not in self.host or self.host.lower().endswith(_INTERNAL)


def read_address(path: str, text: str) -> Address:
    """Read an address; raises CommandError, which does not repeat it."""
    if "${" in text:
        raise CommandError(
            f"{path}: ${{...}} stands inside a longer address, where Flipt does not replace it",
            "Flipt replaces a value that is ${NAME} as a whole: put the whole address into the variable.",
        )
    if (found := _PARTS.fullmatch(text)) is None:
        raise CommandError(f"{path}: is no http:// or https:// address", "Flipt cannot send there either: mend it.")
    scheme, user, host, port, rest = found.groups()
    url = f"{scheme.lower()}://{host}{port or ''}{rest or ''}"
    return Address(scheme.lower(), host.strip("[]"), url, None if not user else _basic(user))


def _basic(user: str) -> str:
    """Write a user and password as Go's http.Client does: https://github.com/golang/go/issues/11399."""
    name, _, password = user.partition(":")
    return base64.b64encode(unquote_to_bytes(name) + b":" + unquote_to_bytes(password)).decode()
