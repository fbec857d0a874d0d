"""Events that are too large for a message: stored once, claimed by each task; and an object store on a bad day."""

import json
import threading
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

import pytest

from flagcast.edges.aws.client import client
from flagcast.edges.wiring import resources
from flagcast.tasks.task import decode, event_id
from tests.integration.ingest.hanging import MANNERS, hang, timed
from tests.integration.ingest.harness import EVENT, Ingest, bearer, destination, signature
from tests.support.api_gateway import http_event
from tests.support.captures import captured
from tests.support.faulty_aws import Manner
from tests.support.time_limits import HOLD, ends_within

HUGE = captured("flipt-1.61.0/strings")[-1].body
NO_EVENT = b"\xff" * 300_000
ERRORS = ["SlowDown", "InternalError", "AccessDenied", "NoSuchBucket", "unreachable"]
LARGEST_REQUEST = 6 * 1024 * 1024
"""Bytes of what Lambda hands over: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

FEW = {name: destination() for name in ("one", "two", "three")}


def largest_event(*, encoded: bool) -> bytes:
    """Make the largest event that fits Lambda's request, in the form in which API Gateway writes it."""

    def made(length: int) -> bytes:
        return EVENT[:-1] + b',"more":"' + b"x" * length + b'"}'

    def size(body: bytes) -> int:
        return len(json.dumps(http_event(headers=signature(body), body=body, encoded=encoded, request_id="r" * 32)))

    room = LARGEST_REQUEST - size(made(0))
    body = made(room * 3 // 4 - 3 if encoded else room)
    assert LARGEST_REQUEST - 8 <= size(body) <= LARGEST_REQUEST
    return body


@pytest.mark.parametrize("encoded", [False, True], ids=["text", "base64"])
def test_the_largest_event_that_lambda_hands_over_is_stored_for_many_destinations(
    ingest: Ingest, encoded: bool
) -> None:
    destinations = {f"destination-{at:02}": destination() for at in range(25)}
    ingest.configure(destinations=destinations)
    body = largest_event(encoded=encoded)
    answer = ingest.signed(body, encoded=encoded)
    assert (answer.status, answer.body["deliveries"]) == (HTTPStatus.OK, len(destinations))
    assert ingest.bodies() == {f"bodies/{answer.body['event_id']}": body}
    assert ingest.delivered_to() == dict.fromkeys(destinations, 1)


def test_an_event_of_text_that_is_larger_in_ascii_comes_back_byte_for_byte(ingest: Ingest) -> None:
    event = {**json.loads(EVENT), "more": "\u8a9e\U0001f600\u2028" * 30_000}
    body = json.dumps(event, ensure_ascii=False).encode()
    answer = ingest.signed(body, encoded=True)
    assert answer.status == HTTPStatus.OK
    assert ingest.bodies() == {f"bodies/{answer.body['event_id']}": body}


def test_a_large_event_that_no_destination_wants_is_stored_nowhere(ingest: Ingest) -> None:
    ingest.configure(destinations={"tokens": destination("token:*")})
    assert ingest.signed(HUGE).body["deliveries"] == 0
    assert ingest.stores_nothing()


def test_a_large_event_without_a_timestamp_is_one_of_its_own_at_every_request(ingest: Ingest) -> None:
    body = json.dumps({"type": "flag", "action": "updated", "more": "x" * 300_000}).encode()
    ids = [ingest.post(body, bearer(), source="template").body["event_id"] for _ in range(2)]
    assert ingest.bodies() == {f"bodies/{each}": body for each in ids}
    assert len(set(ids)) == len(ingest.drain()) == 2


def test_a_large_body_that_is_no_event_is_kept_and_claimed_by_its_dead_letter(ingest: Ingest) -> None:
    for _ in range(2):
        answer = ingest.signed(NO_EVENT, encoded=True)
        assert (answer.status, answer.body["error"]) == (HTTPStatus.BAD_REQUEST, "invalid_event")
    key = f"bodies/{event_id('flipt', NO_EVENT)}"
    assert ingest.bodies() == {key: NO_EVENT}
    (letter,) = ingest.drain(ingest.dead_letters)
    assert (letter.task["destination"], letter.task["body_ref"]) == ("-", key)
    assert letter.attributes["reason"] == "invalid_event"
    assert ingest.waiting() == 0


def test_a_large_body_that_is_no_event_and_comes_from_anyone_is_not_kept(ingest: Ingest) -> None:
    assert ingest.post(NO_EVENT, source="open", encoded=True).status == HTTPStatus.BAD_REQUEST
    assert ingest.stores_nothing()


def test_a_large_body_that_does_not_prove_itself_is_not_kept(ingest: Ingest) -> None:
    assert ingest.signed(HUGE, "another-secret").status == HTTPStatus.UNAUTHORIZED
    assert ingest.stores_nothing()
    assert ingest.faults.calls["PutObject"] == 0


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("body", [HUGE, NO_EVENT], ids=["event", "no event"])
def test_while_the_object_store_fails_nothing_is_sent_and_the_resend_completes_it(
    ingest: Ingest, body: bytes, code: str
) -> None:
    ingest.configure(destinations=FEW)
    ingest.faults.fail("PutObject", code)
    answer = ingest.signed(body, encoded=True)
    assert (answer.status, answer.body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert ingest.faults.calls["PutObject"] == 2
    assert ingest.faults.calls["SendMessageBatch"] == 0
    assert ingest.stores_nothing()
    (line,) = ingest.output.lines
    expected = "EndpointConnectionError" if code == "unreachable" else code
    assert (line["event"], line["reason"], line["detail"]) == ("event.rejected", "unavailable", f"S3: {expected}")

    ingest.faults.recover()
    answers = [ingest.signed(body, encoded=True).status for _ in range(2)]
    assert answers == [HTTPStatus.OK if body == HUGE else HTTPStatus.BAD_REQUEST] * 2
    assert list(ingest.bodies().values()) == [body]
    assert ingest.delivered_to() == (dict.fromkeys(FEW, 1) if body == HUGE else {})
    assert len(ingest.drain(ingest.dead_letters)) == (0 if body == HUGE else 1)


@pytest.mark.parametrize("code", ERRORS)
def test_a_store_that_failed_once_is_asked_once_more(ingest: Ingest, code: str) -> None:
    ingest.faults.fail("PutObject", code, times=1)
    assert ingest.signed(HUGE).status == HTTPStatus.OK
    assert ingest.faults.calls["PutObject"] == 2
    assert list(ingest.bodies().values()) == [HUGE]
    assert ingest.delivered_to() == {"everything": 1}


def test_a_body_whose_tasks_were_not_sent_is_claimed_by_those_of_the_resend(ingest: Ingest) -> None:
    ingest.configure(destinations=FEW)
    ingest.faults.refuse(lambda entry: json.loads(entry["MessageBody"])["destination"] == "two", times=2)
    assert ingest.signed(HUGE).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.waiting() == 2
    assert ingest.signed(HUGE).status == HTTPStatus.OK
    stored = ingest.drain()
    assert sorted(each.task["destination"] for each in stored) == sorted(FEW)
    assert {each.task["body_ref"] for each in stored} == set(ingest.bodies())


@pytest.mark.parametrize("manner", MANNERS)
def test_while_the_object_store_hangs_a_large_event_is_asked_for_again_in_time_and_a_small_one_taken(
    ingest: Ingest, bad_day: ExitStack, manner: Manner
) -> None:
    ingest.configure(destinations=FEW)
    (server,) = hang(ingest, bad_day, manner, "S3")
    answer = timed(ingest, HUGE)
    assert (answer.status, answer.body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert ingest.stores_nothing()
    assert manner == "unaccepting" or server.connections
    assert timed(ingest).status == HTTPStatus.OK
    assert ingest.delivered_to() == dict.fromkeys(FEW, 1)

    bad_day.close()
    ingest.start()
    assert timed(ingest, HUGE).body["deliveries"] == len(FEW)
    assert ingest.delivered_to() == dict.fromkeys(FEW, 1)
    assert list(ingest.bodies().values()) == [HUGE]


def test_a_body_that_is_no_event_is_asked_for_again_in_time_while_the_object_store_hangs(
    ingest: Ingest, bad_day: ExitStack
) -> None:
    hang(ingest, bad_day, "silent", "S3")
    assert timed(ingest, NO_EVENT, encoded=True).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.stores_nothing()


def test_the_client_of_the_object_store_is_made_for_the_first_large_event_and_for_no_other(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def making(service: str) -> Any:
        made.append(service)
        return client(service)

    monkeypatch.setattr(resources, "client", making)
    assert ingest.signed().status == HTTPStatus.OK
    assert "s3" not in made
    assert ingest.signed(HUGE).status == HTTPStatus.OK
    assert "s3" in made


def test_the_time_in_which_the_client_is_made_counts(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a small core it takes a good part of the 3.5 s.
    made = threading.Event()

    def making(service: str) -> Any:
        assert service != "s3" or made.wait(HOLD)
        return client(service)

    monkeypatch.setattr(resources, "client", making)
    assert ingest.signed().status == HTTPStatus.OK
    monkeypatch.setattr("flagcast.edges.wiring.ingest_request.PATIENCE", 0.3)
    with ends_within(0.3):
        assert ingest.signed(HUGE).status == HTTPStatus.SERVICE_UNAVAILABLE
    made.set()
    monkeypatch.undo()


def test_a_claim_check_is_what_deliver_reads(ingest: Ingest) -> None:
    assert ingest.signed(HUGE).status == HTTPStatus.OK
    (stored,) = ingest.drain()
    carried = decode(stored.text)
    assert getattr(carried, "body_ref", None) == next(iter(ingest.bodies()))
