"""Each dependency hangs in turn, in every manner there is: the answer comes in time all the same."""

import time
from contextlib import ExitStack
from http import HTTPStatus

import pytest

from flagcast.config.secret_references import Reference
from flagcast.edges.aws.client import client
from flagcast.edges.wiring.resources import secrets
from tests.integration.ingest.hanging import LONGEST, MANNERS, hang, timed
from tests.integration.ingest.harness import DEADLINE, EVENT, Elapsed, Ingest, destination
from tests.support.captures import SECRET, captured
from tests.support.faulty_aws import Manner
from tests.support.time_limits import PATIENCE

SERVICES = {"queue": ["SQS"], "secrets": ["SECRETS_MANAGER"], "both": ["SQS", "SECRETS_MANAGER"]}
EVENTS = [each.body for each in captured("flipt-1.61.0/changes")]
DESTINATIONS = {f"destination-{at:02}": destination(ordering="destination") for at in range(25)}


def test_a_request_gives_up_early_enough_to_be_answered_in_time() -> None:
    assert DEADLINE < LONGEST


def fetched_long_ago(elapsed: Elapsed) -> None:
    """Fetch the secret from a store that is well, and let it age past the time for which it is kept."""
    with pytest.MonkeyPatch.context() as well:
        well.setattr(client("secretsmanager"), "get_secret_value", lambda SecretId: {"SecretString": SECRET})  # noqa: N803 - boto3's name
        reference = Reference("secret", "signing")
        assert secrets().lookup([reference], time.monotonic() + PATIENCE) == ({reference: SECRET}, [])
    elapsed.later(301)


@pytest.mark.parametrize(
    ("which", "manner"),
    [
        *(("queue", manner) for manner in MANNERS),
        ("secrets", "silent"),
        ("secrets", "unaccepting"),
        ("secrets", "dripping"),
        ("both", "silent"),
    ],
)
def test_whatever_hangs_the_event_is_asked_for_again_in_time_and_the_resend_completes_it(
    ingest: Ingest, bad_day: ExitStack, which: str, manner: Manner
) -> None:
    ingest.configure(destinations=DESTINATIONS)
    servers = hang(ingest, bad_day, manner, *SERVICES[which])
    answer = timed(ingest)
    assert (answer.status, answer.body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert ingest.stores_nothing()
    if manner != "unaccepting":
        assert any(server.connections for server in servers)
    # On a busy machine the state table's call may end at its deadline too, which is a line of its own.
    (line,) = [each for each in ingest.output.lines if each["event"] != "state.failed"]
    assert (line["event"], line["source"], line["reason"]) == ("event.rejected", "flipt", "unavailable")

    bad_day.close()
    ingest.start()
    assert timed(ingest).body["deliveries"] == len(DESTINATIONS)
    assert ingest.delivered_to() == dict.fromkeys(DESTINATIONS, 1)


def test_a_body_that_is_no_event_is_asked_for_again_in_time_while_the_queue_hangs(
    ingest: Ingest, bad_day: ExitStack
) -> None:
    hang(ingest, bad_day, "silent", "SQS")
    assert timed(ingest, b"{}").status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.stores_nothing()


def test_while_the_secret_store_hangs_the_last_good_secret_serves_and_a_mismatch_is_no_refusal(
    ingest: Ingest, bad_day: ExitStack, elapsed: Elapsed
) -> None:
    (server,) = hang(ingest, bad_day, "silent", "SECRETS_MANAGER")
    fetched_long_ago(elapsed)
    assert timed(ingest).status == HTTPStatus.OK
    # The failure answers for the next 15 s: neither asks the store again.
    asked = server.connections
    assert ingest.signed(EVENTS[1]).status == HTTPStatus.OK
    assert ingest.signed(EVENTS[2], "canary-forged-secret").status == HTTPStatus.SERVICE_UNAVAILABLE
    assert server.connections == asked > 0
    assert [each.raw for each in ingest.drain()] == EVENTS[:2]


def test_a_secret_store_that_drips_costs_one_request_its_time_and_the_resend_succeeds(
    ingest: Ingest, bad_day: ExitStack, elapsed: Elapsed
) -> None:
    hang(ingest, bad_day, "dripping", "SECRETS_MANAGER")
    fetched_long_ago(elapsed)
    assert timed(ingest).status in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
    assert timed(ingest).status == HTTPStatus.OK
    assert [each.raw for each in ingest.drain()] == [EVENT]


def test_calls_that_were_left_behind_take_nothing_from_the_requests_after_them(
    ingest: Ingest, bad_day: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sixteen threads serve all calls, and a call that is left behind keeps its thread for as long as the other side
    # drips: after three events for 25 destinations no thread was left, and every event got 503 though AWS was well.
    ingest.configure(destinations=DESTINATIONS)
    hang(ingest, bad_day, "dripping", "SQS")
    with monkeypatch.context() as hasty:
        hasty.setattr("flagcast.edges.wiring.ingest_request.PATIENCE", 0.3)
        for _ in range(6):
            assert ingest.post(source="open").status == HTTPStatus.SERVICE_UNAVAILABLE
    ingest.start()
    assert timed(ingest).status == HTTPStatus.OK
