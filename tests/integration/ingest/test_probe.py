"""The operator's probe: proven like any event, answered, and stored nowhere."""

import json
import time
from http import HTTPStatus

import pytest

from flagcast.ingest.body_check import RESERVED, probe
from flagcast.primitives.timestamp import rfc3339
from tests.integration.ingest.harness import Ingest, bearer, destination, signature
from tests.support.api_gateway import Headers

PROBE = probe("2026-01-02T03:04:05Z")


def own(action: str) -> bytes:
    return json.dumps({"type": "flagcast", "action": action, "timestamp": "2026-01-02T03:04:05Z"}).encode()


@pytest.mark.parametrize(
    ("source", "headers"),
    [("flipt", signature(PROBE)), ("template", bearer()), ("open", ())],
    ids=["signed", "by a token", "without credentials"],
)
def test_a_probe_is_answered_stored_nowhere_and_counted_by_no_metric(
    ingest: Ingest, source: str, headers: Headers
) -> None:
    # A destination that takes every event, and one whose template would fail on whatever it is given.
    ingest.configure(
        destinations={"all": destination("*:*"), "fails": destination(body="{{ event.payload.key.none }}")}
    )
    answer = ingest.post(PROBE, headers, source=source)
    assert answer.status == HTTPStatus.OK
    assert answer.body.keys() == {"event_id", "deliveries"}
    assert answer.body["deliveries"] == 0
    assert ingest.stores_nothing()
    assert {name for name in ingest.faults.calls if name != "GetSecretValue"} == set()
    (line,) = ingest.output.lines
    assert (line["event"], line["source"]) == ("probe.answered", source)
    assert line["event_id"] == answer.body["event_id"]
    assert line["_aws"]["CloudWatchMetrics"] == []


def test_a_probe_must_prove_itself(ingest: Ingest) -> None:
    assert ingest.signed(PROBE, "another-secret").status == HTTPStatus.UNAUTHORIZED
    assert ingest.post(PROBE).status == HTTPStatus.UNAUTHORIZED
    assert {line["event"] for line in ingest.output.lines} == {"event.rejected"}


@pytest.mark.parametrize("action", ["trouble", "recovered", "updated"])
@pytest.mark.parametrize("source", ["flipt", "open"])
def test_no_source_can_send_another_event_of_flagcasts_own_type(ingest: Ingest, source: str, action: str) -> None:
    answer = ingest.signed(own(action), source=source)
    assert (answer.status, answer.body["error"]) == (HTTPStatus.BAD_REQUEST, "invalid_event")
    assert ingest.waiting() == 0
    (line,) = ingest.output.lines
    assert (line["event"], line["reason"], line["detail"]) == ("event.rejected", "invalid_event", RESERVED)
    letters = [each.attributes["detail"] for each in ingest.drain(ingest.dead_letters)]
    assert letters == ([RESERVED] if source == "flipt" else [])


def test_a_probe_is_held_to_the_limits_of_its_source(ingest: Ingest) -> None:
    secrets = ["${secret:signing}"]
    ingest.configure(sources={"flipt": {"signing_secrets": secrets, "max_age": "1h", "allow_from": ["192.0.2.0/24"]}})
    assert ingest.signed(PROBE).body["error"] == "too_old"
    assert ingest.signed(probe(rfc3339(time.time()))).status == HTTPStatus.OK
    ingest.configure(sources={"flipt": {"signing_secrets": secrets, "allow_from": ["198.51.100.0/24"]}})
    assert ingest.signed(PROBE).status == HTTPStatus.FORBIDDEN
