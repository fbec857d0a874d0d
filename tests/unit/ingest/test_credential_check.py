import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.events.flipt_signature import flipt_signature
from flagcast.ingest.credential_check import is_known, is_signed, kept_signature, presented_signature, presented_token
from tests.support.captures import SECRET, Captured, every_capture

SIGNED = [each for each in every_capture() if each.signed]

# Flipt's own vector: internal/server/audit/webhook/client_test.go. The others were made by Go's json.Marshal and hmac.
VECTORS = [
    (
        "s3crET",
        '{"version":"","type":"flag","action":"create","metadata":{},"payload":null,"timestamp":"","status":""}',
        "6bc16d7434cbd746abfd25e3350a3f43fba04883b7f0b83f09bbc373116f84b0",
    ),
    (
        "s3cr3t",
        '{"version":"0.2","type":"flag","action":"updated","metadata":{"actor":{"authentication":"oidc",'
        '"ip":"203.0.113.7","email":"a@b.co"}},"payload":{"default_variant":"a","description":"café","enabled":true,'
        '"key":"new-ui","name":"New \\u003cUI\\u003e \\u0026 co","namespace_key":"default"},'
        '"timestamp":"2026-01-02T03:04:05Z","status":"success"}',
        "3b9626af652d1dbf3bdf800568bced3a457305cc738ac0158336dc9bb9516bd9",
    ),
    (
        "s3cr3t",
        '{"version":"0.2","type":"flag","action":"deleted","metadata":{"actor":{"authentication":"token"}},'
        '"payload":null,"timestamp":"2026-01-02T03:04:05+02:00","status":"denied"}',
        "9e84ee41866499df98109ef69122e3df99ad7503385344d76561b23c6b83f1a9",
    ),
]


def signature_of(request: Captured) -> str:
    presented = presented_signature({name.lower(): value for name, value in request.headers})
    assert presented is not None
    return presented


@pytest.mark.parametrize(("secret", "body", "signature"), VECTORS)
def test_we_sign_as_flipt_does(secret: str, body: str, signature: str) -> None:
    assert flipt_signature(body.encode(), secret) == signature
    assert is_signed(body.encode(), signature, [secret])


def test_every_signed_capture_verifies() -> None:
    assert len(SIGNED) > 100
    assert [each for each in SIGNED if not is_signed(each.body, signature_of(each), [SECRET])] == []


@given(st.sampled_from([each for each in SIGNED if len(each.body) < 10_000]), st.data())
def test_a_captured_body_with_one_bit_changed_fails(request: Captured, data: st.DataObject) -> None:
    changed = bytearray(request.body)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not is_signed(bytes(changed), signature_of(request), [SECRET])


def test_every_one_bit_change_of_a_captured_signature_fails() -> None:
    request = SIGNED[0]
    right = signature_of(request)
    wrong = [right[:at] + chr(ord(right[at]) ^ 1 << bit) + right[at + 1 :] for at in range(64) for bit in range(7)]
    assert [each for each in wrong if is_signed(request.body, each, [SECRET])] == []


@given(st.binary(min_size=1), st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_any_changed_byte_of_any_body_fails(body: bytes, secret: str, data: st.DataObject) -> None:
    changed = bytearray(body)
    changed[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    signature = flipt_signature(body, secret)
    assert is_signed(body, signature, [secret])
    assert not is_signed(bytes(changed), signature, [secret])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_any_of_several_secrets_proves_a_body_while_they_rotate(place: int) -> None:
    secrets = ["first", "second", "third"]
    assert is_signed(b"body", flipt_signature(b"body", secrets[place]), secrets)


@pytest.mark.parametrize(
    "signature",
    ["", "0" * 64, "é" * 64, "\udcff", flipt_signature(b"body", "s").upper(), flipt_signature(b"body", "s") + " "],
)
def test_anything_but_the_exact_signature_fails(signature: str) -> None:
    assert not is_signed(b"body", signature, ["s"])


def test_no_secret_proves_nothing() -> None:
    assert not is_signed(b"body", flipt_signature(b"body", ""), [])
    assert not is_known("", [])


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer abc"}, "abc"),
        ({"authorization": "BEARER   abc  "}, "abc"),
        ({"authorization": "Bearer a b"}, "a b"),
        ({"authorization": "Bearer"}, None),
        ({"authorization": "Bearer  "}, None),
        ({"authorization": "Basic abc"}, None),
        ({"authorization": "abc"}, None),
        ({"authorization": ""}, None),
        ({}, None),
    ],
)
def test_a_bearer_token_is_read_from_the_authorization_header(headers: dict[str, str], token: str | None) -> None:
    assert presented_token(headers) == token


def test_a_request_without_the_signature_header_presents_none() -> None:
    assert presented_signature({"content-type": "application/json"}) is None


@pytest.mark.parametrize(
    ("token", "expected", "known"),
    [("b", ["a", "b"], True), ("b", ["a"], False), ("", ["a"], False), ("ab", ["a", "b"], False), ("é", ["é"], True)],
)
def test_a_token_is_known_only_when_it_equals_one_that_is_expected(
    token: str, expected: list[str], known: bool
) -> None:
    assert is_known(token, expected) is known


def test_the_archive_keeps_a_signature_that_flipt_could_have_made_and_nothing_else() -> None:
    assert {kept_signature({"x-flipt-webhook-signature": signature}) for _, _, signature in VECTORS} == {
        signature for _, _, signature in VECTORS
    }
    for other in ("", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "\ud800" * 64):
        assert kept_signature({"x-flipt-webhook-signature": other}) is None
    assert kept_signature({}) is None
