"""What counts as the same event."""

import json
from http import HTTPStatus

import pytest

from tests.integration.ingest.harness import EVENT, SOURCES, Ingest, bearer, destination, signature
from tests.support.captures import every_capture

SEED = next(each.body for each in every_capture() if each.path == "/template/seed-fixed")
REBUILT = next(each.body for each in every_capture() if each.path == "/template/rebuild")


def test_a_repeat_of_a_signed_body_gets_the_same_answer_and_adds_no_message(ingest: Ingest) -> None:
    ingest.configure(destinations={"one": destination(), "two": destination(ordering="none")})
    answers = [ingest.signed() for _ in range(3)]
    assert [each.status for each in answers] == [HTTPStatus.OK] * 3
    assert answers[1:] == answers[:1] * 2
    assert ingest.delivered_to() == {"one": 1, "two": 1}


def test_a_resend_to_a_function_that_started_again_adds_no_message(ingest: Ingest) -> None:
    before = ingest.signed()
    ingest.start()
    assert ingest.signed() == before
    assert ingest.waiting() == 1


def test_a_body_of_a_template_with_a_timestamp_is_one_event_however_often_it_comes(ingest: Ingest) -> None:
    answers = [ingest.post(REBUILT, bearer(), source="template") for _ in range(3)]
    assert len({each.body["event_id"] for each in answers}) == 1
    assert ingest.waiting() == 1


@pytest.mark.parametrize("timestamp", [None, "", 0, [], {}])
def test_a_body_without_a_timestamp_is_an_event_of_its_own_each_time(ingest: Ingest, timestamp: object) -> None:
    body = SEED if timestamp is None else json.dumps({**json.loads(SEED), "timestamp": timestamp}).encode()
    answers = [ingest.post(body, bearer(), source="template") for _ in range(3)]
    assert [each.status for each in answers] == [HTTPStatus.OK] * 3
    assert len({each.body["event_id"] for each in answers}) == 3
    stored = ingest.drain()
    assert [each.raw for each in stored] == [body] * 3
    assert {each.task["event_id"] for each in stored} == {each.body["event_id"] for each in answers}


def test_the_same_request_handed_over_twice_is_one_event_with_or_without_a_timestamp(ingest: Ingest) -> None:
    for _ in range(2):
        assert ingest.post(SEED, bearer(), source="template", request_id="request-1").status == HTTPStatus.OK
    assert ingest.waiting() == 1


def test_a_source_that_does_not_deduplicate_takes_equal_bodies_as_events_of_their_own(ingest: Ingest) -> None:
    ingest.configure({"flipt": {**SOURCES["flipt"], "dedupe": False}})
    answers = [ingest.signed() for _ in range(3)]
    assert len({each.body["event_id"] for each in answers}) == 3
    assert [each.raw for each in ingest.drain()] == [EVENT] * 3


def test_the_same_body_from_two_sources_is_two_events(ingest: Ingest) -> None:
    ingest.configure({"flipt": SOURCES["flipt"], "other": SOURCES["flipt"]})
    answers = [ingest.post(EVENT, signature(EVENT), source=source) for source in ("flipt", "other")]
    assert len({each.body["event_id"] for each in answers}) == 2
    assert {each.task["source"] for each in ingest.drain()} == {"flipt", "other"}
