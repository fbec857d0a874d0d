"""What looks like a credential does not get into a file that is committed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast_cli.credentials.detection import is_credential_header, is_credential_url, is_harmless_host, looks_random
from flagcast_cli.credentials.vendors import name_for


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
        # An unknown header was shown unless its value looked random.
        ("X-Team", "correct horse battery staple"),
        ("X-Flipt", "hunter2"),
        ("Accept", "https://hooks.slack.com/services/T0/B0/x"),
        ("User-Agent", "ghp_0123456789abcdefghij"),
        # Headers of harmless names alone were looked at no further.
        ("Content-Auth", "x"),
        ("CE-Token", "x"),
        ("CE-Source", "//bob:pw@example.com"),
        ("Accept", "application/json; token=x"),
    ],
)
def test_a_header_that_looks_like_a_credential_is_one(name: str, value: str) -> None:
    assert is_credential_header(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", ""),
        ("Accept", "application/vnd.github.v3+json"),
        ("User-Agent", "flipt-production"),
        ("Content-Language", "de"),
        ("CE-Source", "flipt-production"),
        ("X-Requested-With", "XMLHttpRequest"),
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
        # Tokens of letters or dashes, a short name in the query, a fragment, a subdomain: all of these were shown.
        "https://example.com/hooks/qwertyuiopasdfgh",
        "https://example.com/hooks/correct-horse-battery",
        "https://example.com/hooks/s3cr",
        "https://example.com/in?t=x",
        "https://example.com/in?x",
        "https://example.com/in#x",
        "https://example.com/in/%41bc",
        "https://qwertyuiop.m.pipedream.net",
        "https://a1b2c3.hooks.example.com/in",
        "https://[no.address",
    ],
)
def test_an_address_that_lets_in_anyone_who_knows_it_is_a_credential(url: str) -> None:
    assert is_credential_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/webhooks/flipt",
        "https://example.com/api/v2/events/",
        "https://audit.example.com/in",
        "https://hooks.slack.com/",
        "https://events.pagerduty.com/v2/enqueue",
        "http://receiver:8080/in",
        "http://127.0.0.1/in",
        "http://[::1]:80/in",
    ],
)
def test_a_plain_address_is_none(url: str) -> None:
    assert not is_credential_url(url)


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
        ("qwertyuiop.m.pipedream.net", "pipedream-net"),
        ("127.0.0.1", "127-0-0-1"),
        ("::1", "1"),
        ("例え", "webhook"),
    ],
)
def test_a_destination_is_named_for_its_host(host: str, name: str) -> None:
    assert name_for(host, shown=is_harmless_host(host)) == name
