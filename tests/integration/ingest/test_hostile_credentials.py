"""Credentials: every secret is compared, in constant time, and nothing that only looks like a signature is one."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from flagcast.events.flipt_signature import flipt_signature
from flagcast.ingest.credential_check import is_known, is_signed
from tests.fuzz.harness import ROTATED, SIGNING, TOKEN, World, world
from tests.integration.ingest.harness import EVENT
from tests.support.api_gateway import Headers, http_event

SIGNATURE = "X-Flipt-Webhook-Signature"
RIGHT = flipt_signature(EVENT, SIGNING)
SECRETS = ["first", "second", "third"]


@pytest.fixture
def warm() -> Iterator[World]:
    with world() as made:
        yield made


class Compared:
    """What was compared in constant time, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        real = hmac.compare_digest

        def spy(given: bytes, expected: bytes) -> bool:
            self.pairs.append((given, expected))
            return real(given, expected)

        monkeypatch.setattr(hmac, "compare_digest", spy)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Compared:
    return Compared(monkeypatch)


class Unequal(str):
    """Text that cannot be compared but in constant time: == and != fail the test."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared with ==")

    def __ne__(self, other: object) -> bool:
        raise AssertionError("compared with !=")

    def startswith(self, *_: Any) -> bool:
        raise AssertionError("compared by its beginning")


@pytest.mark.parametrize("matching", [0, 1, 2, None])
def test_every_secret_is_compared_whichever_of_them_matches(compared: Compared, matching: int | None) -> None:
    given = flipt_signature(b"body", "none of them" if matching is None else SECRETS[matching])
    assert is_signed(b"body", given, SECRETS) == (matching is not None)
    expected = [flipt_signature(b"body", each).encode() for each in SECRETS]
    assert compared.pairs == [(given.encode(), each) for each in expected]


@pytest.mark.parametrize("matching", [0, 1, 2, None])
def test_every_token_is_compared_whichever_of_them_matches_and_as_a_digest_of_one_length(
    compared: Compared, matching: int | None
) -> None:
    given = "x" if matching is None else SECRETS[matching]
    assert is_known(given, SECRETS) == (matching is not None)
    assert len(compared.pairs) == len(SECRETS)
    assert {len(each) for pair in compared.pairs for each in pair} == {64}
    assert {each.encode() for each in SECRETS}.isdisjoint(expected for _, expected in compared.pairs)


@pytest.mark.parametrize("at", range(64))
def test_a_signature_that_differs_anywhere_is_compared_to_its_end(compared: Compared, at: int) -> None:
    right = flipt_signature(b"body", "s")
    wrong = right[:at] + ("0" if right[at] != "0" else "1") + right[at + 1 :]
    assert not is_signed(b"body", wrong, ["s"])
    assert compared.pairs == [(wrong.encode(), right.encode())]


def test_nothing_but_the_constant_time_comparison_looks_at_what_was_presented() -> None:
    right = flipt_signature(b"body", "second")
    assert is_signed(b"body", Unequal(right), SECRETS)
    assert not is_signed(b"body", Unequal("0" * 64), SECRETS)
    assert is_known(Unequal("second"), SECRETS)
    assert not is_known(Unequal("fourth"), SECRETS)


@pytest.mark.parametrize("source", ["flipt", "both"])
def test_a_request_meets_every_secret_of_its_source(warm: World, compared: Compared, source: str) -> None:
    body = b'{"type":"flag","action":"updated"}'
    headers = [(SIGNATURE, flipt_signature(body, SIGNING)), ("Authorization", "Bearer wrong")]
    assert warm.ask(http_event(source=source, headers=headers, body=body))[0] == 200
    # `flipt` has two secrets that sign, `both` one and a token: a signature that holds spares no one the comparison.
    assert len(compared.pairs) == 2


WIDE = RIGHT.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
REFUSED: dict[str, Headers] = {
    "two signatures joined": [(SIGNATURE, RIGHT), (SIGNATURE, RIGHT)],
    "a wrong one before the right one": [(SIGNATURE, "0" * 64), (SIGNATURE, RIGHT)],
    "the right one before a wrong one": [(SIGNATURE, RIGHT), (SIGNATURE, "0" * 64)],
    "both secrets' joined": [(SIGNATURE, RIGHT), (SIGNATURE, flipt_signature(EVENT, ROTATED))],
    "a comma behind it": [(SIGNATURE, f"{RIGHT},")],
    "a space before it": [(SIGNATURE, f" {RIGHT}")],
    "a space behind it": [(SIGNATURE, f"{RIGHT} ")],
    "a line break behind it": [(SIGNATURE, f"{RIGHT}\n")],
    "a NUL behind it": [(SIGNATURE, f"{RIGHT}\0")],
    "upper case": [(SIGNATURE, RIGHT.upper())],
    "a scheme before it": [(SIGNATURE, f"sha256={RIGHT}")],
    "0x before it": [(SIGNATURE, f"0x{RIGHT}")],
    "quotes around it": [(SIGNATURE, f'"{RIGHT}"')],
    "its first half": [(SIGNATURE, RIGHT[:32])],
    "it, twice": [(SIGNATURE, RIGHT * 2)],
    "empty": [(SIGNATURE, "")],
    "of the empty body": [(SIGNATURE, flipt_signature(b"", SIGNING))],
    "by the empty secret": [(SIGNATURE, flipt_signature(EVENT, ""))],
    "by the secret's reference": [(SIGNATURE, flipt_signature(EVENT, "${env:FLAGCAST_VAR_SIGNING}"))],
    "the secret itself": [(SIGNATURE, SIGNING)],
    "digits that are not ASCII": [(SIGNATURE, WIDE)],
    "half a character": [(SIGNATURE, "\ud800" * 64)],
    "bytes that are not UTF-8": [(SIGNATURE, "\udc80" + RIGHT[1:])],
    "a megabyte": [(SIGNATURE, RIGHT * 16_384)],
    "under another name": [("X-Flipt-Webhook-Signature2", RIGHT), ("X_Flipt_Webhook_Signature", RIGHT)],
    "under a name with a space": [(f"{SIGNATURE} ", RIGHT), (f" {SIGNATURE}", RIGHT)],
    "as a token": [("Authorization", f"Bearer {RIGHT}")],
    "the secret as a token": [("Authorization", f"Bearer {SIGNING}")],
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("source", ["flipt", "both"])
def test_what_only_looks_like_the_signature_is_refused(warm: World, source: str, headers: Headers) -> None:
    status, kept = warm.ask(http_event(source=source, headers=headers, body=EVENT))
    assert (status, kept.is_nothing) == (401, True)
    told = json.dumps(kept.lines)
    assert RIGHT[:32] not in told
    assert SIGNING not in told


REFUSED_TOKENS = {
    "two joined": f"Bearer {TOKEN},Bearer {TOKEN}",
    "a comma behind it": f"Bearer {TOKEN},",
    "empty": "Bearer ",
    "upper case": f"Bearer {TOKEN.upper()}",
    "quotes around it": f'Bearer "{TOKEN}"',
    "a tab for the space": f"Bearer\t{TOKEN}",
    "the scheme twice": f"Bearer Bearer {TOKEN}",
    "letters that are not ASCII": f"Bearer {TOKEN.translate({ord('a'): 0x0430})}",
    "a NUL behind it": f"Bearer {TOKEN}\0",
    "half a character": "Bearer \ud800",
    "its digest": f"Bearer {hashlib.sha256(TOKEN.encode()).hexdigest()}",
    "the token alone": TOKEN,
    "in another scheme": f"Basic {TOKEN}",
}


@pytest.mark.parametrize("value", REFUSED_TOKENS.values(), ids=REFUSED_TOKENS.keys())
@pytest.mark.parametrize("source", ["template", "both"])
def test_what_only_looks_like_the_token_is_refused(warm: World, source: str, value: str) -> None:
    status, kept = warm.ask(http_event(source=source, headers=[("Authorization", value)], body=EVENT))
    assert (status, kept.is_nothing) == (401, True)
    assert TOKEN not in json.dumps(kept.lines)


# Half a character in a header could not be compared: the function failed, and told it as an error of its own.
@pytest.mark.parametrize("half", [chr(each) for each in (0xD800, 0xDBFF, 0xDC00, 0xDFFF)], ids=ascii)
def test_half_a_character_is_compared_like_any_other(half: str) -> None:
    assert not is_signed(b"body", half, ["s"])
    assert not is_known(half, ["s"])
    assert is_known(half, [half])


# It was read as the bytes it stood for, so that another text than the token was taken for it.
def test_bytes_that_are_not_utf8_are_not_taken_for_the_character_they_would_make() -> None:
    assert not is_known("\udcc3\udca9", ["\u00e9"])


def test_a_right_signature_holds_beside_headers_that_are_wrong(warm: World) -> None:
    headers = [(SIGNATURE, RIGHT), ("Authorization", "Bearer \ud800"), ("Content-Type", "text/plain, application/json")]
    assert warm.ask(http_event(source="both", headers=headers, body=EVENT))[0] == 200
