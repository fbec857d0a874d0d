"""Requests to the stack's public address and to Flipt: what they answer, redirects not followed."""

import json
from typing import Any

import requests
from requests import RequestException

from flagcast.events.flipt_signature import FLIPT_HEADER, flipt_signature
from flagcast.primitives.network_address import is_url
from flagcast_cli.doctor.facts import Answer, NoAnswer
from flagcast_cli.doctor.finding import Unknown

PATIENCE = 10
"""Seconds to connect, and for each read; ingest answers within 4, cold start aside."""


def get(url: str, token: str | None = None) -> Answer | NoAnswer:
    """Fetch an address; the token, if any, goes as a bearer token."""
    return _ask("GET", url, b"", {"Authorization": f"Bearer {token}"} if token else {})


def post_signed(url: str, body: bytes, secret: str) -> Answer | NoAnswer:
    """Post a body as Flipt does, signed with a secret."""
    return _ask("POST", url, body, {"Content-Type": "application/json", FLIPT_HEADER: flipt_signature(body, secret)})


def get_json(url: str, token: str | None) -> dict[str, Any] | Unknown:
    """Fetch a JSON object."""
    match get(url, token):
        case NoAnswer(address, error):
            return Unknown(f"{address} did not answer: {error}", (f"curl -i {address}",))
        case Answer(address, 401 | 403 as status):
            return Unknown(f"{address} answers {status}", ("Set FLIPT_TOKEN to a Flipt token that may read it.",))
        case Answer(address, 200, body):
            try:
                read = json.loads(body)
            except (ValueError, RecursionError):
                read = None
            return read if isinstance(read, dict) else Unknown(f"{address} answers 200, but not with a JSON object")
        case Answer(address, status):
            return Unknown(f"{address} answers {status}", ("Give the address of Flipt's UI, without a path.",))


def _ask(method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer | NoAnswer:
    if not is_url(url):
        # It may hold a password, and what is found is printed.
        return NoAnswer("what was given", "it is not an http:// or https:// address, or contains a user or password")
    # A query can hold a token.
    shown = url.partition("?")[0]
    try:
        answer = requests.request(
            method, url, data=body or None, headers=headers, timeout=PATIENCE, allow_redirects=False, auth=_as_it_is
        )
    except (RequestException, UnicodeError) as error:
        # A host with an empty or overlong label is a UnicodeError: https://github.com/psf/requests/issues/3687
        return NoAnswer(shown, type(error).__name__)
    return Answer(
        shown,
        answer.status_code,
        answer.content.decode(errors="replace"),
        answer.headers.get("Location", "").partition("?")[0],
    )


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send the headers that are given: without this, requests puts a password of ~/.netrc over the token."""
    return request
