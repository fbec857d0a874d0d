"""`allow_from` and `max_age`: what a source rejects of requests that could prove themselves."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from flagcast.primitives.timestamp import rfc3339
from tests.integration.ingest.harness import EVENT, Ingest, signature
from tests.support.api_gateway import http_event

SIGNED: dict[str, Any] = {"signing_secrets": ["${secret:signing}"]}


def source(**more: object) -> dict[str, Any]:
    return {"flipt": {**SIGNED, **more}}


def asked_from(ingest: Ingest, address: str | None, *, method: str = "POST", body: bytes = EVENT) -> int:
    event = http_event(method=method, headers=signature(body), body=body)
    event["requestContext"]["http"]["sourceIp"] = address
    if address is None:
        del event["requestContext"]["http"]["sourceIp"]
    return ingest.ask(event).status


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("203.0.113.7", 200),
        ("203.0.113.8", 403),
        ("198.51.100.255", 200),
        ("198.51.101.0", 403),
        ("2001:db8:1::5", 200),
        ("2001:db8:2::5", 403),
        ("::ffff:203.0.113.7", 200),
        ("::ffff:203.0.113.8", 403),
        ("", 403),
        ("unknown", 403),
        ("203.0.113.7, 10.0.0.1", 403),
        (None, 403),
    ],
)
def test_a_source_accepts_requests_from_its_subnets_alone(ingest: Ingest, address: str | None, status: int) -> None:
    ingest.configure(source(allow_from=["203.0.113.7/32", "198.51.100.0/24", "2001:db8:1::/48"]))
    assert asked_from(ingest, address) == status
    assert (ingest.waiting() == 1) == (status == HTTPStatus.OK)


@pytest.mark.parametrize("address", ["198.51.100.1", "2001:db8::1", "", None])
def test_a_source_without_allow_from_accepts_any_address(ingest: Ingest, address: str | None) -> None:
    assert asked_from(ingest, address) == HTTPStatus.OK


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "True-Client-Ip"])
def test_no_header_can_claim_an_address(ingest: Ingest, header: str) -> None:
    ingest.configure(source(allow_from=["203.0.113.7/32"]))
    claimed = [*signature(EVENT), (header, "for=203.0.113.7" if header == "Forwarded" else "203.0.113.7")]
    assert ingest.post(EVENT, claimed).status == HTTPStatus.FORBIDDEN


def test_a_request_from_elsewhere_is_rejected_before_its_body_is_looked_at(ingest: Ingest) -> None:
    ingest.configure(source(allow_from=["203.0.113.0/24"]))
    # Neither proven, nor an event, nor of a size that is accepted: none of it is found out.
    assert asked_from(ingest, "192.0.2.1", body=b"{}" * 4_000_000) == HTTPStatus.FORBIDDEN
    assert ingest.faults.calls.total() == 0
    (line,) = ingest.output.lines
    assert (line["event"], line["source"], line["reason"]) == ("event.rejected", "flipt", "forbidden")
    assert "192.0.2.1" not in json.dumps(line)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["source", "reason"]]


def test_the_address_decides_for_its_own_source_alone(ingest: Ingest) -> None:
    ingest.configure({**source(allow_from=["203.0.113.0/24"]), "open": {"auth": "none"}})
    assert ingest.post(EVENT, signature(EVENT)).status == HTTPStatus.FORBIDDEN
    assert ingest.post(EVENT, source="open").status == HTTPStatus.OK


def stamped(timestamp: str) -> bytes:
    return json.dumps({**json.loads(EVENT), "timestamp": timestamp}).encode()


def test_a_body_that_is_older_than_max_age_is_rejected_kept_nowhere_and_counted(ingest: Ingest) -> None:
    ingest.configure(source(max_age="12h"))
    answer = ingest.signed(stamped("2026-01-02T03:04:05Z"))
    assert (answer.status, answer.body["error"]) == (HTTPStatus.BAD_REQUEST, "too_old")
    assert ingest.stores_nothing()
    (line,) = ingest.output.lines
    assert (line["event"], line["source"], line["reason"]) == ("event.rejected", "flipt", "too_old")
    assert line["detail"].endswith("s old; max_age is 43200 s")


def test_a_recorded_request_is_of_no_use_once_max_age_has_passed(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest.configure(source(max_age="12h"))
    now = 1_767_323_045.0  # 2026-01-02T03:04:05Z
    monkeypatch.setattr("flagcast.edges.wiring.ingest_request.time.time", lambda: now)
    recorded = stamped(rfc3339(now))
    assert ingest.signed(recorded).status == HTTPStatus.OK
    now += 12 * 3600
    assert ingest.signed(recorded).status == HTTPStatus.OK
    now += 1
    assert ingest.signed(recorded).status == HTTPStatus.BAD_REQUEST


def test_without_a_readable_timestamp_max_age_rejects_and_nothing_else_does(ingest: Ingest) -> None:
    body = json.dumps({"type": "flag", "action": "updated"}).encode()
    assert ingest.signed(body).status == HTTPStatus.OK
    ingest.configure(source(max_age="12h"))
    assert ingest.signed(body).body["error"] == "too_old"
    assert ingest.output.lines[-1]["detail"] == "no readable timestamp"


def test_max_age_looks_at_nothing_that_is_not_proven(ingest: Ingest) -> None:
    ingest.configure(source(max_age="12h"))
    assert ingest.signed(stamped("2026-01-02T03:04:05Z"), "another-secret").status == HTTPStatus.UNAUTHORIZED
