import base64
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook

from flagcast.config.secret_references import Reference
from flagcast.events.event import Origin
from flagcast.exchange.request import Request
from flagcast.exchange.request_signing import BadSecret, signature_headers
from flagcast.ingest.credential_check import is_signed, presented_signature
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.render import render
from flagcast.tasks.outcomes import Faulty
from tests.unit.builders import destination, event

KEY = base64.b64encode(bytes(range(24))).decode()
STAMP = {"Webhook-Id": "evt_1", "Webhook-Timestamp": "1767323045"}
SECRET = Reference("ssm", "s")


@given(st.binary(min_size=1), st.text())
def test_the_standard_webhooks_library_verifies_what_is_signed(key: bytes, text: str) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    now, body = str(int(time.time())), '"' + text.replace("\\", "").replace('"', "").encode("utf-8").hex() + '"'
    stamp = {"Webhook-Id": "evt_1", "Webhook-Timestamp": now}
    signed = signature_headers("standard-webhooks", [secret], stamp, body.encode())
    assert isinstance(signed, dict)
    headers = {name.lower(): value for name, value in (stamp | signed).items()}
    Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + " ", headers)


def test_the_prefix_of_a_standard_webhooks_secret_may_be_left_out() -> None:
    signed = signature_headers("standard-webhooks", [KEY], STAMP, b"{}")
    assert signed == signature_headers("standard-webhooks", [f"whsec_{KEY}"], STAMP, b"{}")


def test_a_signature_is_of_the_id_the_time_and_the_body() -> None:
    made = [
        signature_headers("standard-webhooks", [KEY], stamp, raw)
        for stamp, raw in (
            (STAMP, b"{}"),
            (STAMP, b"[]"),
            (STAMP | {"Webhook-Id": "evt_2"}, b"{}"),
            (STAMP | {"Webhook-Timestamp": "1"}, b"{}"),
        )
    ]
    assert len({str(each) for each in made}) == 4


@given(st.text(min_size=1), st.binary())
def test_flipts_own_signature_is_the_one_that_ingest_takes(secret: str, body: bytes) -> None:
    signed = signature_headers("flipt", [secret], STAMP, body)
    assert isinstance(signed, dict)
    signature = presented_signature({name.lower(): value for name, value in signed.items()})
    assert signature is not None
    assert is_signed(body, signature, [secret])
    assert not is_signed(body + b" ", signature, [secret])


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_canary!", "canary", "whsec_é", "whsec_Y2FuYXJ5\n"])
def test_a_secret_that_standard_webhooks_cannot_sign_with_is_not_repeated(secret: str) -> None:
    assert signature_headers("standard-webhooks", [secret], STAMP, b"") == BadSecret("expected whsec_ and Base64")


def test_nothing_is_signed_with_no_secret() -> None:
    # HMAC takes an empty key, and anyone can make that signature.
    assert signature_headers("flipt", [""], STAMP, b"") == BadSecret("a secret is empty")


def rendered(scheme: str, secret: str, now: float = 1767323045.9, **keys: Any) -> Request | Faulty:
    made = compile_destination(destination(sign={"scheme": scheme, "secret": "${ssm:s}"}, **keys), {}, "d")
    assert isinstance(made, Compiled)
    assert SECRET in made.references
    request = render(made, event(Origin("evt_7")), {SECRET: secret}, now)
    assert isinstance(request, Request | Faulty)
    return request


def test_a_request_is_signed_over_the_body_that_is_sent() -> None:
    now = time.time()
    request = rendered("standard-webhooks", f"whsec_{KEY}", now, body='{"text": "{{ event.type }}"}')
    assert isinstance(request, Request)
    Webhook(KEY).verify(request.body.decode(), {name.lower(): value for name, value in request.headers.items()})
    again = rendered("standard-webhooks", f"whsec_{KEY}", now + 60)
    assert isinstance(again, Request)
    assert again.headers["Webhook-Id"] == request.headers["Webhook-Id"] == "evt_7"
    assert again.headers["Webhook-Signature"] != request.headers["Webhook-Signature"]


def test_a_request_may_carry_flipts_own_signature() -> None:
    request = rendered("flipt", "s3cret")
    assert isinstance(request, Request)
    assert is_signed(request.body, request.headers["X-Flipt-Webhook-Signature"], ["s3cret"])


def test_a_secret_that_cannot_sign_holds_the_destination() -> None:
    assert rendered("standard-webhooks", "canary") == Faulty("sign: expected whsec_ and Base64")


def test_while_a_secret_is_replaced_either_verifies_by_both_libraries() -> None:
    old, new = (f"whsec_{base64.b64encode(bytes([each] * 24)).decode()}" for each in (1, 2))
    sign = {"scheme": "standard-webhooks", "secret": "${ssm:s}", "old_secrets": ["${ssm:old}"]}
    made = compile_destination(destination(sign=sign), {}, "d")
    assert isinstance(made, Compiled)
    request = render(made, event(Origin("evt_7")), {SECRET: new, Reference("ssm", "old"): old}, time.time())
    assert isinstance(request, Request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    for secret in (old, new):
        Webhook(secret).verify(request.body, headers)
        SvixWebhook(secret).verify(request.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(request.body, headers)


def test_one_bad_secret_of_two_signs_nothing() -> None:
    made = signature_headers("standard-webhooks", [KEY, "canary"], STAMP, b"")
    assert made == BadSecret("expected whsec_ and Base64")


def test_flipts_own_vector_is_signed_as_flipt_signs_it() -> None:
    # Flipt's internal/server/audit/webhook/client_test.go.
    raw = b'{"version":"","type":"flag","action":"create","metadata":{},"payload":null,"timestamp":"","status":""}'
    signature = "6bc16d7434cbd746abfd25e3350a3f43fba04883b7f0b83f09bbc373116f84b0"
    assert signature_headers("flipt", ["s3crET"], STAMP, raw) == {"X-Flipt-Webhook-Signature": signature}
