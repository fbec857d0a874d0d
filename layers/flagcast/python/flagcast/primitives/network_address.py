"""Which addresses may be connected to: those of the public Internet, and the subnets that a destination opens.

What a name resolves to is judged, not how it is written: 2130706433, 0x7f.1 and 127。0。0。1 all end as 127.0.0.1.
"""

import re
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

SPECIAL = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by carriers",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "AS112",
    "192.52.193.0/24": "AMT",
    "192.88.99.0/24": "6to4 relays",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "AS112",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "255.255.255.255/32": "broadcast",
    "240.0.0.0/4": "reserved",
    "::/128": "unspecified",
    "::1/128": "loopback",
    "::/96": "IPv4-compatible",
    "::ffff:0:0/96": "IPv4-mapped",
    "64:ff9b::/96": "NAT64",
    "64:ff9b:1::/48": "NAT64",
    "100::/64": "discarded",
    "100:0:0:1::/64": "dummy",
    "2001::/32": "Teredo",
    "2001::/23": "protocol assignments",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "2620:4f:8000::/48": "AS112",
    "3fff::/20": "documentation",
    "5f00::/16": "segment routing",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
"""Ranges that are not for everyone, the narrower first, each with what it is for.

Every range of IANA's two registries, whole, with multicast and what other documents took back (::/96, fec0::/10). The
few that are reachable everywhere are refused too: they belong to protocols, and no receiver of webhooks lives there.
https://www.iana.org/assignments/iana-ipv4-special-registry/ https://www.iana.org/assignments/iana-ipv6-special-registry/
"""

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that is given out of IPv6 so far: https://www.iana.org/assignments/ipv6-address-space/"""

_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = 0x00005EFE
_UNIVERSAL = 0x02000000
"""The bit of an interface identifier that says its numbers are the world's: RFC 5214 section 6.1 leaves it open."""

_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+")
_CIDR = re.compile(r"[0-9A-Fa-f:.]+/[0-9]{1,3}")
_URL = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{0,5})?"
    r"([/?#][^\s\\\x00-\x1f\x7f\ud800-\udfff]*)?"
)

_WRITTEN_URL = re.compile(r"(?P<before>https?://)(?P<host>[^\x00-\x20\x7f/?#@:\\\[\]]+)(?P<after>.*)", re.DOTALL)


class Subnet(str):
    """A range of addresses, as CIDR: ``10.0.0.0/8``, ``fd00::/8``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a subnet; raises ValueError with a sentence for the operator."""
        expected = "expected a subnet such as 10.0.0.0/8 or fd00::/8"
        if not isinstance(text, str) or not _CIDR.fullmatch(text):
            raise ValueError(_as_subnet(text) or expected)
        try:
            network, first = ip_network(text, strict=False), ip_address(text.partition("/")[0])
        except ValueError as error:
            raise ValueError(expected) from error
        if first != network.network_address:
            raise ValueError(f"{text} is an address inside a subnet; write the subnet {network}")
        judged = _as_ipv4(network)
        if judged.prefixlen == 0:
            raise ValueError(f"{text} is every address; list only the subnets that are allowed")
        return cls(judged)

    @property
    def network(self) -> IPv4Network | IPv6Network:
        """Return the range."""
        return _network(self)


ANYWHERE = (Subnet("0.0.0.0/0"), Subnet("::/0"))


def in_ascii(url: str) -> str:
    """Return a URL with its host in the ASCII form that the name system knows (IDNA 2008), as browsers write it.

    One whose host has no such form is returned as it is; so is one that only dresses up ASCII, such as 127。0。0。1.
    """
    found = _WRITTEN_URL.fullmatch(url)
    if found is None or found["host"].isascii():
        return url
    # Loaded by those who use it: its tables are 100 kB.
    import idna

    try:
        host = idna.encode(found["host"], uts46=True).decode()
    except idna.IDNAError:
        return url
    return f"{found['before']}{host}{found['after']}" if "xn--" in host else url


def is_url(text: str) -> bool:
    """Return whether a text is an http or https URL to send to.

    No user or password in it: they belong into a header, by a reference. No character that another reader of URLs may
    take for the end of the host: space, control, backslash, in the host anything beyond ASCII (its ASCII form is
    xn--...). No half a character, which cannot be written.
    """
    return _URL.fullmatch(text) is not None


def is_in(address: str, subnets: Iterable[Subnet]) -> bool:
    """Return whether an address is in one of the subnets; what is no address is in none.

    An IPv4 address that is written as an IPv4-mapped IPv6 one is judged as the IPv4 address.
    """
    try:
        judged = ip_address(address)
    except ValueError:
        return False
    if isinstance(judged, IPv6Address) and judged.ipv4_mapped is not None:
        judged = judged.ipv4_mapped
    return any(judged in subnet.network for subnet in subnets)


def refusal(address: str, allowed: Iterable[Subnet]) -> str | None:
    """Say why an address may not be connected to, as the resolver gives it; None where it may.

    An IPv4 address inside an IPv6 one is as allowed as the IPv4 address is, where the way to it is known: IPv4-mapped,
    6to4 and NAT64 (RFC 6052). What is said never holds the address, which may have come out of a secret.
    """
    try:
        judged = ip_address(address)
    except ValueError:
        return "no IP address"
    inside = [judged, *_carried(judged)]
    if any(each in subnet.network for subnet in allowed for each in inside):
        return None
    for text, purpose in SPECIAL.items():
        if judged in _network(text):
            return f"an address in {text}, {purpose}"
    if isinstance(judged, IPv4Address):
        return None
    if judged not in GLOBAL_UNICAST:
        return f"an address outside of {GLOBAL_UNICAST}"
    if judged.scope_id is not None:
        return "an address with a zone"
    if (int(judged) >> 32) & 0xFFFFFFFF & ~_UNIVERSAL == _ISATAP:
        return "an ISATAP address"
    return None


def _carried(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return [each for each in (address.ipv4_mapped, address.sixtofour, nat64) if each is not None]


def _as_ipv4(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return the IPv4 subnet that an IPv4-mapped one is: addresses are judged as the IPv4 addresses that they are."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return network if mapped is None or network.prefixlen < 96 else IPv4Network((mapped, network.prefixlen - 96))


def _as_subnet(text: object) -> str | None:
    """Say how one address alone is written as a subnet; None where it is no address."""
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text):
        return None
    try:
        return f"{text} is one address; write it as the subnet {ip_network(text)}"
    except ValueError:
        return None


@cache
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
