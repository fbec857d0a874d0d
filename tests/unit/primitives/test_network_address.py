import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.primitives.network_address import (
    ANYWHERE,
    GLOBAL_UNICAST,
    SPECIAL,
    Subnet,
    in_ascii,
    is_in,
    is_url,
    refusal,
)

NETWORKS = [ip_network(each) for each in SPECIAL]
PYTHONS_OWN_MIND = {
    # Python goes by what the registry calls globally reachable, some of its releases by an older registry.
    "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24", "224.0.0.0/4",
    "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100:0:0:1::/64", "2001::/23", "2002::/16",
    "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fec0::/10", "ff00::/8",
}  # fmt: skip


def edges(network: IPv4Network | IPv6Network) -> list[str]:
    return [str(each) for each in (network[0], network[network.num_addresses // 2], network[-1])]


def allow(*subnets: str) -> list[Subnet]:
    return [Subnet.parse(each) for each in subnets]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_range_that_is_not_for_everyone_is_refused_from_its_first_to_its_last_address(
    network: IPv4Network | IPv6Network,
) -> None:
    assert [refusal(each, []) for each in edges(network) if refusal(each, []) is None] == []


MAPPED = ip_network("::ffff:0:0/96")
"""Every IPv4 address, which no one can open."""


@pytest.mark.parametrize("network", [each for each in NETWORKS if each != MAPPED], ids=str)
def test_a_range_that_a_destination_opens_is_open_and_nothing_beside_it(network: IPv4Network | IPv6Network) -> None:
    opened = allow(str(network))
    assert [refusal(each, opened) for each in edges(network)] == [None, None, None]
    beside = [int(network[0]) - 1, int(network[-1]) + 1]
    kind, most = (IPv4Address, 2**32) if network.version == 4 else (IPv6Address, 2**128)
    for each in [str(kind(number)) for number in beside if 0 <= number < most]:
        assert refusal(each, opened) == refusal(each, [])


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2000::", "2001:200::", "2001:4860::8888",
        "2001:db7:ffff::1", "2001:db9::", "2003::", "2606:4700::1111", "2a00:1450:4001::200e", "3fff:1000::",
    ],
)  # fmt: skip
def test_an_address_of_the_public_internet_may_be_connected_to(address: str) -> None:
    assert refusal(address, []) is None


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "an address in 127.0.0.0/8, loopback"),
        ("100.64.0.1", "an address in 100.64.0.0/10, shared by carriers"),
        ("169.254.169.254", "an address in 169.254.0.0/16, link-local"),
        ("192.31.196.1", "an address in 192.31.196.0/24, AS112"),
        ("192.52.193.1", "an address in 192.52.193.0/24, AMT"),
        ("192.88.99.1", "an address in 192.88.99.0/24, 6to4 relays"),
        ("192.175.48.1", "an address in 192.175.48.0/24, AS112"),
        ("255.255.255.255", "an address in 255.255.255.255/32, broadcast"),
        ("::", "an address in ::/128, unspecified"),
        ("::1", "an address in ::1/128, loopback"),
        ("::1%lo", "an address in ::1/128, loopback"),
        ("::127.0.0.1", "an address in ::/96, IPv4-compatible"),
        ("::ffff:8.8.8.8", "an address in ::ffff:0:0/96, IPv4-mapped"),
        ("::ffff:0:127.0.0.1", "an address outside of 2000::/3"),
        ("64:ff9b::808:808", "an address in 64:ff9b::/96, NAT64"),
        ("64:ff9b:1::7f00:1", "an address in 64:ff9b:1::/48, NAT64"),
        ("2002:808:808::1", "an address in 2002::/16, 6to4"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "an address in 2001::/32, Teredo"),
        ("2620:4f:8000::1", "an address in 2620:4f:8000::/48, AS112"),
        ("3fff::1", "an address in 3fff::/20, documentation"),
        ("fd00:ec2::254", "an address in fc00::/7, private"),
        ("fe80::1%eth0", "an address in fe80::/10, link-local"),
        ("200::1", "an address outside of 2000::/3"),
        ("4000::1", "an address outside of 2000::/3"),
        ("2606:4700::1111%1", "an address with a zone"),
        ("2606:4700::5efe:7f00:1", "an ISATAP address"),
        ("2606:4700::200:5efe:808:808", "an ISATAP address"),
        ("127.1", "no IP address"),
        ("0177.0.0.1", "no IP address"),
        ("localhost", "no IP address"),
        ("", "no IP address"),
    ],
)
def test_what_is_refused_is_told_by_its_range(address: str, why: str) -> None:
    assert refusal(address, []) == why


@pytest.mark.parametrize(
    ("address", "allowed", "opens"),
    [
        ("10.1.2.3", "10.1.0.0/16", True),
        ("10.2.0.1", "10.1.0.0/16", False),
        ("::ffff:10.1.2.3", "10.1.0.0/16", True),
        ("64:ff9b::a01:203", "10.1.0.0/16", True),
        ("2002:a01:203::1", "10.1.0.0/16", True),
        ("::ffff:127.0.0.1", "10.0.0.0/8", False),
        ("64:ff9b::7f00:1", "10.0.0.0/8", False),
        # Where the way to the IPv4 address is not known, the IPv4 address opens nothing.
        ("::10.1.2.3", "10.0.0.0/8", False),
        ("::1", "0.0.0.0/8", False),
        ("64:ff9b:1::a01:203", "10.0.0.0/8", False),
        ("fd00::5efe:a01:203", "10.0.0.0/8", False),
        ("64:ff9b::808:808", "64:ff9b::/96", True),
        ("10.1.2.3", "::ffff:10.0.0.0/104", True),
        ("::ffff:10.1.2.3", "::ffff:10.0.0.0/104", True),
        ("::ffff:11.1.2.3", "::ffff:10.0.0.0/104", False),
        ("fe80::1%eth0", "fe80::/10", True),
        ("2606:4700::5efe:7f00:1", "2606:4700::/32", True),
        ("127.1", "127.0.0.0/8", False),
    ],
)
def test_an_ipv4_address_inside_an_ipv6_one_is_as_open_as_it_is_itself(address: str, allowed: str, opens: bool) -> None:
    assert (refusal(address, allow("192.168.0.0/24", allowed)) is None) == opens


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(1 << 125, (1 << 126) - 1).map(IPv6Address))
def test_what_may_be_connected_to_is_global_for_python_too(address: IPv4Address | IPv6Address) -> None:
    if refusal(str(address), []) is None:
        assert address.is_global


@pytest.mark.parametrize("subnet", SPECIAL)
def test_python_calls_global_of_what_is_refused_only_what_is_known(subnet: str) -> None:
    # ipaddress knows the registry of the day its release was made, so this table is held against it, not made of it.
    assert subnet in PYTHONS_OWN_MIND or not any(ip_address(each).is_global for each in edges(ip_network(subnet)))


@pytest.mark.parametrize("name", ["_IPv4Constants", "_IPv6Constants"])
def test_every_range_that_python_knows_is_refused_here(name: str) -> None:
    constants = getattr(ipaddress, name)
    assert constants._private_networks
    for network in (*constants._private_networks, constants._multicast_network):
        assert [refusal(each, []) for each in edges(network) if refusal(each, []) is None] == []


def test_the_narrower_range_is_told_before_the_wider() -> None:
    for index, network in enumerate(NETWORKS):
        wider = [each for each in NETWORKS[:index] if each.version == network.version and network != each]
        assert [each for each in wider if network.subnet_of(each)] == []  # type: ignore[arg-type]  # of one version
    assert GLOBAL_UNICAST.version == 6


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.7/32", "10.0.0.7/32"),
        ("FD00:0::/8", "fd00::/8"),
        ("::1/128", "::1/128"),
        # No request is from an IPv4-mapped address as such: `allow_from` with one never matched.
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:203.0.113.7/128", "203.0.113.7/32"),
    ],
)
def test_a_subnet_is_read_as_cidr(written: str, read: str) -> None:
    assert ip_network(Subnet.parse(written)) == ip_network(read)
    assert Subnet.parse(written) == Subnet.parse(read)


EXPECTED = "expected a subnet such as 10.0.0.0/8 or fd00::/8"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (7, EXPECTED),
        (None, EXPECTED),
        ("", EXPECTED),
        ("10.0.0.1", "10.0.0.1 is one address; write it as the subnet 10.0.0.1/32"),
        ("fe80::1", "fe80::1 is one address; write it as the subnet fe80::1/128"),
        ("private", EXPECTED),
        ("10.0.0", EXPECTED),
        ("10.0.0.0/255.0.0.0", EXPECTED),
        ("10.0.0.0/33", EXPECTED),
        ("10.0.0/8", EXPECTED),
        ("fe80::%eth0/10", EXPECTED),
        ("10.0.0.0/8\n", EXPECTED),
        ("10.0.0.1/8", "10.0.0.1/8 is an address inside a subnet; write the subnet 10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0 is every address; list only the subnets that are allowed"),
        ("::/0", "::/0 is every address; list only the subnets that are allowed"),
        ("::ffff:0:0/96", "::ffff:0:0/96 is every address; list only the subnets that are allowed"),
    ],
)
def test_what_is_no_subnet_is_refused_with_a_sentence(written: object, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        Subnet.parse(written)
    assert str(raised.value) == why


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com", "https://hooks.example.com/", "https://h.example.com:8443/a/b?c=d&e=%20#f",
        "http://h", "https://xn--bcher-kva.example/", "https://a_b.example/", "https://example.com.",
        "https://[2606:4700::1111]/", "https://[::ffff:1.2.3.4]:443/", "https://1.2.3.4", "https://x?token=ü",
        "https://x/{{event.type}}", "https://x/a@b", "https://x:/", "https://2130706433/", "https://0x7f.1/",
    ],
)  # fmt: skip
def test_an_http_url_is_one(url: str) -> None:
    assert is_url(url)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("https://MÜNCHEN.example:8443/ä?b=ö#ü", "https://xn--mnchen-3ya.example:8443/ä?b=ö#ü"),
        ("http://mu\u0308nchen.example/", "http://xn--mnchen-3ya.example/"),
        # As browsers do; IDNA 2003 made strasse.example of it, which may be someone else's.
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://xn--mnchen-3ya.example/", "https://xn--mnchen-3ya.example/"),
        ("https://hooks.example.com/ä", "https://hooks.example.com/ä"),
    ],
)
def test_a_host_in_unicode_is_taken_in_its_ascii_form(written: str, url: str) -> None:
    # https://münchen.example was no address, though every browser takes it.
    assert in_ascii(written) == url
    assert is_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://127。0。0。1/", "https://①②⑦.0.0.1/", "https://\uff11\uff12\uff17.0.0.1/", "https://\uff45xample.com/",
        "https://münchen..example/", "https://" + "ü" * 64 + ".example/", "https://ü@x/", "https://x@ü/", "https://ü\\x/",
        "https://ü x/", "https://\ud800.example/", "https://☃.example\u0338/", "https://ü%31/",
        "ftp://ü/", "ü",
    ],
)  # fmt: skip
def test_a_host_that_has_no_ascii_form_or_only_dresses_up_ascii_is_none(url: str) -> None:
    assert not is_url(in_ascii(url))


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "//x", "ftp://x", "file:///etc/passwd", "HTTPS://x", "https:x", "https:/x", "https://", "https:///x",
        "https://user@x", "https://user:pass@x/", "https://:@x/", "https://x@y@z/", "https://a\\@b/", "https://x\\y",
        "https://x/\\y", "https://x y/", "https://x/ y", " https://x", "https://x\n", "https://x/\r\nHost: y",
        "https://x/\x00", "https://x/\x1f", "https://x/\x7f", "https://x\t", "https://x/\u2028", "https://x/\ud800", "https://x/\u3000y",
        "https://127。0。0。1/", "https://①②⑦.0.0.1/", "https://\uff11\uff12\uff17.0.0.1/", "https://bücher.example",
        "https://%31%32%37.0.0.1/", "https://[::1%lo]/", "https://[fe80::1%25eth0]/", "https://[::1", "https://::1/",
        "https://x:https/", "https://x:123456/", "https://x:-1/", "https://x;y/", "https://x,y/", "https://<x>/",
    ],
)  # fmt: skip
def test_what_another_reader_could_take_for_another_url_is_none(url: str) -> None:
    assert not is_url(url)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("fd00::1", True),
        ("fe00::1", False),
        ("::ffff:10.0.0.1", True),
        ("::ffff:11.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("", False),
        ("10.0.0.1 ", False),
        ("10.0.0.1:443", False),
        ("localhost", False),
    ],
)
def test_an_address_is_in_a_subnet_by_its_number_and_what_is_none_is_in_none(address: str, inside: bool) -> None:
    assert is_in(address, (Subnet.parse("10.0.0.0/8"), Subnet.parse("fd00::/8"))) is inside


def test_every_address_is_in_anywhere() -> None:
    assert all(is_in(each, ANYWHERE) for each in ("0.0.0.0", "255.255.255.255", "::", "2001:db8::1"))
