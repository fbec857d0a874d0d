"""What looks like a credential does not get into a file that is committed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast_cli.importing.credentials import (
    Suspicion,
    credentials_in,
    is_credential_header,
    is_credential_url,
    looks_random,
)
from flagcast_cli.importing.services import name_for


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "x"),
        ("Proxy-Authorization", "x"),
        ("X-Api-Key", "x"),
        ("DD-API-KEY", "x"),
        ("X-Auth", "x"),
        ("apikey", "x"),
        ("Cookie", "a=b"),
        ("X-Routing-Key", "x"),
        ("PRIVATE-TOKEN", "x"),
        ("X-Whatever", "xoxb-1234567890-abc"),
        ("X-Whatever", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
        ("X-Whatever", "0123456789abcdef0123456789abcdef"),
        ("X-Whatever", "abcdefghijklmnopqrstuvwxyzabcdef"),
        ("X-Callback", "https://hooks.slack.com/services/T0/B0/x"),
        ("X-Callback", "https://bob:pw@example.com/"),
    ],
)
def test_a_header_that_looks_like_a_credential_is_one(name: str, value: str) -> None:
    assert is_credential_header(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", ""),
        ("Accept", "application/vnd.github.v3+json"),
        ("X-Source", "flipt-production-eu-west-1"),
        ("X-Team", "platform"),
        ("X-Author", "someone"),
        ("X-Environment", "production"),
        ("X-Number", "12345678901234567890"),
        ("X-Link", "https://example.com/runbooks/flags"),
    ],
)
def test_a_plain_header_is_left_as_it_stands(name: str, value: str) -> None:
    assert not is_credential_header(name, value)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T0/B0/x",
        "https://hooks.slack.com/triggers/x",
        "https://discord.com/api/webhooks/1/x",
        "https://acme.webhook.office.com/webhookb2/x",
        "https://prod-1.westeurope.logic.azure.com:443/workflows/x",
        "https://chat.googleapis.com/v1/spaces/x/messages",
        "https://example.com/in?token=x",
        "https://example.com/in?sig=x",
        "https://example.com/hooks/a1b2c3d4e5f6a7b8",
    ],
)
def test_an_address_that_lets_in_whoever_knows_it_is_a_credential(url: str) -> None:
    assert is_credential_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/webhooks/flipt?team=platform",
        "https://example.com/in?token=",
        "https://hooks.slack.com/",
        "https://events.pagerduty.com/v2/enqueue",
        "https://[no.address",
    ],
)
def test_a_plain_address_is_none(url: str) -> None:
    assert not is_credential_url(url)


def test_a_body_is_searched_line_by_line() -> None:
    body = """{
      "routing_key": "R0123456789",
      "dedup_key": "flipt-{{ .Type }}",
      "key": "something-long",
      "password": "short",
      "title": "a token of our thanks",
      "link": "https://hooks.slack.com/services/T0/B0/x",
      "other": "https://bob:pw@example.com/",
      "id": "a1b2c3d4e5f6a7b8",
      "who": "{{ .Metadata.Actor.Authentication }}"
    }"""
    address = "an address that lets in whoever knows it"
    assert list(credentials_in(body)) == [
        Suspicion(2, "routing_key"),
        Suspicion(7, address),
        Suspicion(8, address),
        Suspicion(9, "a long random text"),
    ]


@given(st.text() | st.text("https://[]@℀?:.a"))
def test_any_text_can_be_looked_at(text: str) -> None:
    address = f"https://{text}"
    assert isinstance(looks_random(text), bool)
    assert isinstance(is_credential_url(address), bool)
    assert isinstance(is_credential_header("A", address), bool)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("hooks.slack.com", "slack"),
        ("DISCORDAPP.com", "discord"),
        ("acme.webhook.office.com", "teams"),
        ("events.eu.pagerduty.com", "pagerduty"),
        ("hooks.example.com", "hooks-example-com"),
        ("notslack.com", "notslack-com"),
        ("127.0.0.1", "127-0-0-1"),
        ("::1", "1"),
        ("例え", "webhook"),
    ],
)
def test_a_destination_is_named_for_its_host(host: str, name: str) -> None:
    assert name_for(host) == name
