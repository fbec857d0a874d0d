"""SQS that refuses one entry, or all of them, once or for longer; and events for more than a batch can hold."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import pytest

from flagcast.edges.aws.client import client
from tests.integration.ingest.harness import EVENT, Ingest, destination
from tests.support.sqs_limits import LARGEST, size

MANY = {f"destination-{at:02}": destination(ordering="destination") for at in range(25)}
FEW = dict(list(MANY.items())[:3])
ERRORS = ["RequestThrottled", "ThrottlingException", "InternalFailure", "AccessDenied", "unreachable"]


def to(*names: str) -> Any:
    return lambda entry: json.loads(entry["MessageBody"])["destination"] in names


def each_once(names: Iterable[str]) -> dict[str, int]:
    return dict.fromkeys(names, 1)


def large_event(length: int) -> bytes:
    event = json.loads(EVENT)
    event["payload"]["description"] += "x" * (length - len(EVENT))
    return json.dumps(event, separators=(",", ":")).encode()


def test_what_was_refused_once_is_sent_once_more_alone(ingest: Ingest) -> None:
    ingest.configure(destinations=MANY)
    refused = ["destination-00", "destination-11", "destination-24"]
    ingest.faults.refuse(to(*refused), times=1)
    answer = ingest.signed()
    assert (answer.status, answer.body["deliveries"]) == (HTTPStatus.OK, len(MANY))
    assert sorted(map(len, ingest.faults.batches)) == [3, 5, 10, 10]
    again = [json.loads(each["MessageBody"])["destination"] for each in ingest.faults.batches[-1]]
    assert again == refused
    assert ingest.delivered_to() == each_once(MANY)
    assert {line["event"] for line in ingest.output.lines} == {"event.accepted"}


@pytest.mark.parametrize("destinations", [FEW, MANY], ids=["one batch", "three batches"])
def test_what_was_refused_twice_is_asked_for_again_and_the_resend_completes_it(
    ingest: Ingest, destinations: dict[str, Any]
) -> None:
    ingest.configure(destinations=destinations)
    ingest.faults.refuse(to("destination-01"), times=2)
    answer = ingest.signed()
    assert (answer.status, answer.body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert ingest.waiting() == len(destinations) - 1
    (line,) = ingest.output.lines
    assert (line["event"], line["reason"]) == ("event.rejected", "unavailable")
    assert line["detail"] == f"1 of {len(destinations)} messages not sent: InternalError"

    resent = ingest.signed()
    assert (resent.status, resent.body["deliveries"]) == (HTTPStatus.OK, len(destinations))
    stored = ingest.drain()
    assert len(stored) == len({each.task["id"] for each in stored}) == len(destinations)
    assert {each.task["event_id"] for each in stored} == {resent.body["event_id"]}


@pytest.mark.parametrize("times", [1, 2])
def test_a_batch_refused_whole_is_like_one_refused_in_part(ingest: Ingest, times: int) -> None:
    ingest.configure(destinations=FEW)
    ingest.faults.refuse(to(*FEW), times=times)
    assert ingest.signed().status == (HTTPStatus.OK if times == 1 else HTTPStatus.SERVICE_UNAVAILABLE)
    assert ingest.waiting() == (len(FEW) if times == 1 else 0)
    assert ingest.signed().status == HTTPStatus.OK
    assert ingest.delivered_to() == each_once(FEW)


@pytest.mark.parametrize("code", ERRORS)
def test_a_call_that_failed_once_is_made_once_more(ingest: Ingest, code: str) -> None:
    ingest.configure(destinations=FEW)
    ingest.faults.fail("SendMessageBatch", code, times=1)
    assert ingest.signed().status == HTTPStatus.OK
    assert ingest.faults.calls["SendMessageBatch"] == 2
    assert ingest.delivered_to() == each_once(FEW)


@pytest.mark.parametrize("code", ERRORS)
def test_while_the_queue_fails_an_event_is_asked_for_again(ingest: Ingest, code: str) -> None:
    ingest.configure(destinations=FEW)
    ingest.faults.fail("SendMessageBatch", code)
    answer = ingest.signed()
    assert (answer.status, answer.body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert ingest.faults.calls["SendMessageBatch"] == 2
    assert ingest.stores_nothing()
    (line,) = ingest.output.lines
    expected = "EndpointConnectionError" if code == "unreachable" else code
    assert line["detail"] == f"3 of 3 messages not sent: {expected}"
    ingest.faults.recover()
    assert ingest.signed().status == HTTPStatus.OK
    assert ingest.delivered_to() == each_once(FEW)


def test_one_batch_that_fails_leaves_the_others_stored_and_the_resend_adds_the_rest(ingest: Ingest) -> None:
    ingest.configure(destinations=MANY)
    # All three of the first try, and one of the second.
    ingest.faults.fail("SendMessageBatch", times=4)
    assert ingest.signed().status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.faults.calls["SendMessageBatch"] == 6
    assert ingest.waiting() in {len(MANY) - 10, len(MANY) - 5}
    assert ingest.signed().status == HTTPStatus.OK
    assert ingest.delivered_to() == each_once(MANY)


@pytest.mark.parametrize(("count", "batches"), [(1, [1]), (10, [10]), (11, [1, 10]), (25, [5, 10, 10])])
def test_more_destinations_than_a_batch_holds_take_several(ingest: Ingest, count: int, batches: list[int]) -> None:
    names = list(MANY)[:count]
    ingest.configure(destinations={name: MANY[name] for name in names})
    assert ingest.signed().body["deliveries"] == count
    assert sorted(map(len, ingest.faults.batches)) == batches
    assert ingest.delivered_to() == each_once(names)


@pytest.mark.parametrize("length", [100_000, 104_500, 150_000, 204_000])
def test_large_bodies_take_as_many_batches_as_their_bytes_need(ingest: Ingest, length: int) -> None:
    ingest.configure(destinations=dict(list(MANY.items())[:10]))
    body = large_event(length)
    assert len(body) == length
    assert ingest.signed(body).body["deliveries"] == 10
    sizes = [sum(map(size, batch)) for batch in ingest.faults.batches]
    assert max(sizes) <= LARGEST
    assert len(sizes) == -(-10 // min(10, LARGEST // (sum(sizes) // 10)))
    assert [each.raw for each in ingest.drain()] == [body] * 10


def test_one_refused_entry_of_many_large_ones_is_sent_once_more(ingest: Ingest) -> None:
    ingest.configure(destinations=dict(list(MANY.items())[:10]))
    body = large_event(150_000)
    ingest.faults.refuse(to("destination-09"), times=1)
    assert ingest.signed(body).body["deliveries"] == 10
    assert sorted(map(len, ingest.faults.batches)) == [1, 4, 6]
    assert ingest.delivered_to() == each_once(list(MANY)[:10])


@pytest.mark.parametrize("answer", [{}, {"Failed": []}, {"Successful": [{"Id": "99"}]}])
def test_what_the_queue_does_not_say_it_took_is_not_taken_for_stored(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    # An answer without a list of failures, such as a proxy's page, counted as success: 200 for what is nowhere.
    monkeypatch.setattr(client("sqs"), "send_message_batch", lambda **_: answer)
    assert ingest.signed().status == HTTPStatus.SERVICE_UNAVAILABLE
