"""Any request at all: one of the contract's answers, in its words, and nothing of the request kept or told."""

import base64
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.fuzz_ingest import METHODS, PARTS
from tests.fuzz.harness import FIXED, SIGNING, SOURCES, TOKEN, World, signed, world
from tests.integration.ingest.harness import EVENT
from tests.support.time_limits import ends_within
from tests.unit.builders import JSON

CANARY = "canary-of-the-caller"
TEXT = st.text(st.characters(exclude_categories=()))
NAMES = st.sampled_from(["x-flipt-webhook-signature", "X-FLIPT-Webhook-Signature", "authorization", "Authorization"])
RIGHT = dict(signed(EVENT))["X-Flipt-Webhook-Signature"]
VALUES = TEXT | st.sampled_from(
    [RIGHT, f"{RIGHT},{RIGHT}", f" {RIGHT}", f"Bearer {TOKEN}", "Bearer", f"bearer {TOKEN},{TOKEN}", "x" * 100_000]
)
HEADERS = st.dictionaries(NAMES | TEXT, VALUES, max_size=5)
PATHS = st.sampled_from([*SOURCES, "", "flipt/", "FLIPT", "../flipt", "flipt%00", "fl\u0130pt", "-"]) | TEXT
ODD = st.none() | JSON | TEXT | st.binary()
WIRE = st.fixed_dictionaries(
    {"type": JSON | st.text(min_size=1), "action": JSON | st.text(min_size=1)},
    optional=dict.fromkeys(("version", "status", "metadata", "payload", "timestamp"), JSON),
)
BODIES = st.binary() | TEXT | WIRE.map(json.dumps) | st.sampled_from([EVENT, EVENT.decode()])


@pytest.fixture(scope="module")
def warm() -> Iterator[World]:
    with world() as made:
        yield made


def anything(
    source: str | None = "flipt",
    body: bytes | str = EVENT,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    text: str | None = None,
) -> dict[str, Any]:
    """Write what API Gateway would hand over: bytes as Base64 unless another text stands for them."""
    encoded = isinstance(body, bytes)
    written = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return {
        "version": "2.0",
        "rawPath": f"/webhooks/{source}",
        "headers": headers or {},
        "requestContext": {"requestId": "r", "http": {"method": method}},
        "body": written if text is None else text,
        "isBase64Encoded": encoded,
        **({} if source is None else {"pathParameters": {"source": source}}),
    }


REQUESTS = st.builds(
    anything,
    source=st.none() | PATHS,
    body=BODIES,
    headers=HEADERS,
    method=st.sampled_from(METHODS) | TEXT,
    text=st.none() | st.none() | TEXT,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS)
def test_any_request_is_answered_by_the_table(warm: World, event: dict[str, Any]) -> None:
    warm.ask(event)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([name for name, keys in SOURCES.items() if "auth" not in keys]),
    BODIES.filter(lambda body: body not in (EVENT, EVENT.decode())),
    HEADERS.filter(lambda headers: f"Bearer {TOKEN}" not in headers.values()),
)
def test_what_does_not_prove_itself_is_refused_and_leaves_its_line_alone(
    warm: World, source: str, body: bytes | str, headers: dict[str, str]
) -> None:
    status, kept = warm.ask(anything(source, body, headers))
    assert status == (503 if source == "faulty" else 401)
    assert kept.is_nothing


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(BODIES, st.sampled_from([SIGNING]))
def test_any_signed_body_is_stored_or_buried_whole(warm: World, body: bytes | str, secret: str) -> None:
    raw = body if isinstance(body, bytes) else body.encode(errors="surrogatepass")
    status, kept = warm.ask(anything("flipt", body, dict(signed(raw, secret))))
    assert status in {200, 400}
    assert not kept.is_nothing


@st.composite
def deformed(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a genuine request whose parts are not what API Gateway makes of them, or not there."""
    event = anything("flipt", EVENT, {"x-flipt-webhook-signature": RIGHT, CANARY: CANARY})
    for *above, last in draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=3)):
        at: Any = event
        for each in above:
            at = at.get(each) if isinstance(at, dict) else None
        if isinstance(at, dict):
            if draw(st.booleans()):
                at.pop(last, None)
            else:
                at[last] = draw(ODD | st.just({CANARY: CANARY}) | st.just([CANARY]) | st.just(CANARY))
    return event


# An event without a part, or with None for one, made the function fail: API Gateway answered 500, and the runtime wrote
# a line with the message of the error.
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(deformed() | ODD)
def test_an_event_that_api_gateway_would_not_make_is_answered_all_the_same_and_told_without_its_words(
    warm: World, event: Any
) -> None:
    status, kept = warm.survive(event)
    assert CANARY not in json.dumps(kept.lines)
    assert status == 200 or kept.is_nothing or status == 400


# It was answered 200 as a health check is, which told Flipt that the event was stored.
@pytest.mark.parametrize("parameters", [None, {}, {"source": ""}, {"other": "flipt"}])
@pytest.mark.parametrize("method", ["POST", "PUT", ""])
def test_an_event_for_no_source_is_never_told_that_all_is_well(
    warm: World, method: str, parameters: dict[str, str] | None
) -> None:
    event = {**anything(None, EVENT, dict(signed(EVENT)), method), "pathParameters": parameters}
    status, kept = warm.ask(event)
    assert (status, kept.is_nothing) == (404, True)


def test_a_get_for_an_empty_name_is_no_health_check(warm: World) -> None:
    assert warm.ask({**anything("", method="GET")})[0] == 404


@pytest.mark.parametrize("header", ["x-flipt-webhook-signature", "authorization", CANARY])
@pytest.mark.parametrize("length", [0, 1, 1_000_000])
def test_a_refusal_of_a_megabyte_ends_as_that_of_nothing_does(warm: World, header: str, length: int) -> None:
    event = anything("both", EVENT, {header: CANARY + "\u00e9" * length, "x": CANARY})
    with ends_within(0):
        status, _ = warm.ask(event)
    assert status == 401


def test_the_largest_request_is_refused_within_a_few_times_its_size(warm: World) -> None:
    event = anything("flipt", b"x" * 6_000_000, {"x-flipt-webhook-signature": "0" * 64})
    tracemalloc.start()
    try:
        assert warm.ask(event)[0] == 401
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Twice its bytes, in the function and in what judges it: each decodes them from Base64.
    assert peak < 3 * 6_000_000


def test_the_answers_that_refuse_say_nothing_of_any_request() -> None:
    assert set(FIXED) == {400, 401, 404, 405, 413, 503}
    for answer in FIXED.values():
        assert set(json.loads(answer["body"])) == {"error", "message"}
        assert answer["headers"]["content-type"] == "application/json"
