import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.ingest import http_api
from flagcast.ingest.http_api import Answer, read_request


def request_event(**changes: Any) -> dict[str, Any]:
    """Write what API Gateway hands over (payload format 2.0), with changes."""
    return {
        "version": "2.0",
        "routeKey": "ANY /webhooks/{source}",
        "rawPath": "/webhooks/flipt",
        "headers": {"content-type": "application/json", "X-Flipt-Webhook-Signature": "abc"},
        "requestContext": {"requestId": "JKJaXmPLvHcESHA=", "http": {"method": "POST", "path": "/webhooks/flipt"}},
        "pathParameters": {"source": "flipt"},
        "body": "{}",
        "isBase64Encoded": False,
        **changes,
    }


def test_a_request_is_read_with_its_header_names_in_lower_case() -> None:
    request = read_request(request_event())
    assert (request.id, request.method, request.source, request.body) == ("JKJaXmPLvHcESHA=", "POST", "flipt", b"{}")
    assert request.headers == {"content-type": "application/json", "x-flipt-webhook-signature": "abc"}


def test_the_callers_address_is_api_gateways_word_and_empty_where_there_is_none() -> None:
    context = request_event()["requestContext"]
    with_address = {**context, "http": {**context["http"], "sourceIp": "203.0.113.7"}}
    forwarded = {"X-Forwarded-For": "198.51.100.1"}
    assert read_request(request_event(requestContext=with_address, headers=forwarded)).address == "203.0.113.7"
    assert read_request(request_event(headers=forwarded)).address == ""


@pytest.mark.parametrize("parameters", [None, {}, {"other": "x"}])
def test_a_path_that_names_no_source_has_none(parameters: dict[str, str] | None) -> None:
    assert read_request(request_event(pathParameters=parameters)).source is None


def test_a_request_that_says_nothing_is_read_as_empty() -> None:
    bare = {"requestContext": {"requestId": "r", "http": {"method": "GET"}}}
    assert read_request(bare) == http_api.Request("r", "GET", None, {}, b"")
    assert read_request(request_event(body=None)).body == b""


@given(st.binary())
def test_a_body_in_base64_is_read_byte_for_byte(body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    assert read_request(request_event(body=encoded, isBase64Encoded=True)).body == body


@given(st.text())
def test_a_body_as_text_is_read_as_utf8(body: str) -> None:
    assert read_request(request_event(body=body)).body == body.encode()


# A letter that is not ASCII raised the ValueError that is no binascii.Error, and the function failed.
@pytest.mark.parametrize("body", ["abc", "é"])
def test_a_body_that_only_claims_to_be_base64_is_taken_as_it_is(body: str) -> None:
    assert read_request(request_event(body=body, isBase64Encoded=True)).body == body.encode()


@pytest.mark.parametrize(
    ("answer", "status", "body", "headers"),
    [
        (http_api.accepted("evt_1", 3), 200, {"event_id": "evt_1", "deliveries": 3}, {}),
        (http_api.accepted("evt_1", 0), 200, {"event_id": "evt_1", "deliveries": 0}, {}),
        (http_api.HEALTHY, 200, {"status": "ok"}, {}),
        (http_api.INVALID_EVENT, 400, "invalid_event", {}),
        (http_api.UNAUTHORIZED, 401, "unauthorized", {}),
        (http_api.UNKNOWN_SOURCE, 404, "unknown_source", {}),
        (http_api.TOO_OLD, 400, "too_old", {}),
        (http_api.FORBIDDEN, 403, "forbidden", {}),
        (http_api.METHOD_NOT_ALLOWED, 405, "method_not_allowed", {"allow": "POST"}),
        (http_api.TOO_LARGE, 413, "too_large", {}),
        (http_api.UNAVAILABLE, 503, "unavailable", {}),
    ],
)
def test_every_answer_is_json_with_its_code_and_never_a_retry_after(
    answer: Answer, status: int, body: str | dict[str, Any], headers: dict[str, str]
) -> None:
    response = answer.as_response()
    assert response["statusCode"] == status
    assert response["headers"] == {"content-type": "application/json", **headers}
    written = json.loads(response["body"])
    if isinstance(body, dict):
        assert written == body
    else:
        assert written.keys() == {"error", "message"}
        assert written["error"] == body
        assert written["message"].endswith(".")
