"""A request to a destination, apart from what makes it, so that sending it loads no templates."""

from msgspec import Struct

from flagcast.primitives.network_address import Subnet


class Request(Struct, frozen=True):
    """One HTTP request, ready to send; `url`, `headers` and `body` may hold secrets, so none is ever logged.

    `allow_private` and `ca_file` say which addresses it may connect to, and which authorities it trusts.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    allow_private: tuple[Subnet, ...] = ()
    ca_file: str | None = None
