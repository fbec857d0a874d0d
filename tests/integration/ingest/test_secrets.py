"""Secrets that rotate, overlap, go missing, or cannot be had."""

from http import HTTPStatus
from itertools import pairwise

import pytest

from tests.integration.ingest.harness import EVENT, Elapsed, Ingest, bearer, operators
from tests.support.captures import SECRET, TOKEN, captured

EVENTS = [each.body for each in captured("flipt-1.61.0/changes")]
ROTATED = "canary-rotated-secret"
FORGED = "canary-forged-secret"
OUTAGES = ["unreachable", "InternalServiceError", "ThrottlingException", "AccessDeniedException"]


def overlap(ingest: Ingest) -> None:
    ingest.configure(
        {
            "flipt": {"signing_secrets": ["${secret:signing}", "${secret:next}"]},
            "template": {"bearer_tokens": ["${secret:token}", "${secret:next}"]},
        }
    )


@pytest.mark.parametrize("secret", [SECRET, ROTATED])
def test_either_of_two_overlapping_secrets_proves_a_signature(ingest: Ingest, secret: str) -> None:
    ingest.secret("next", ROTATED)
    overlap(ingest)
    assert ingest.signed(secret=secret).status == HTTPStatus.OK
    assert ingest.signed(secret=FORGED).status == HTTPStatus.UNAUTHORIZED
    assert ingest.waiting() == 1


@pytest.mark.parametrize("token", [TOKEN, ROTATED])
def test_either_of_two_overlapping_tokens_is_taken(ingest: Ingest, token: str) -> None:
    ingest.secret("next", ROTATED)
    overlap(ingest)
    assert ingest.post(headers=bearer(token), source="template").status == HTTPStatus.OK
    assert ingest.post(headers=bearer(FORGED), source="template").status == HTTPStatus.UNAUTHORIZED
    assert ingest.waiting() == 1


# A secret stored with a line break at its end, as `echo` and editors leave one, was a 401 to every event.
@pytest.mark.parametrize("stored", ["{}\n", "\r\n{}\r\n", " {}\t", "\ufeff{}\n"])
def test_white_space_around_a_stored_secret_is_no_part_of_it(ingest: Ingest, stored: str) -> None:
    ingest.secret("padded", stored.format(ROTATED))
    ingest.configure(
        {
            "flipt": {"signing_secrets": ["${secret:padded}"]},
            "template": {"bearer_tokens": ["${secret:padded}"]},
        }
    )
    assert ingest.signed(secret=ROTATED).status == HTTPStatus.OK
    assert ingest.post(headers=bearer(ROTATED), source="template").status == HTTPStatus.OK
    assert ingest.signed(secret=FORGED).status == HTTPStatus.UNAUTHORIZED


def test_a_secret_of_white_space_alone_opens_nothing(ingest: Ingest) -> None:
    ingest.secret("blank", " \n")
    ingest.configure({"flipt": {"signing_secrets": ["${secret:blank}"]}})
    for secret in ("", " \n"):
        assert ingest.signed(secret=secret).status == HTTPStatus.SERVICE_UNAVAILABLE


def test_a_member_of_a_json_secret_proves_a_signature(ingest: Ingest) -> None:
    ingest.secret("both", '{"flipt": "canary-member", "empty": "", "number": 1}')
    ingest.canaries.add("canary-member")
    for key, status in {"flipt": 200, "empty": 503, "number": 503, "absent": 503}.items():
        ingest.configure({"flipt": {"signing_secrets": [f"${{secret:both#{key}}}"]}})
        assert ingest.signed(secret="canary-member").status == status, key
    ingest.configure({"flipt": {"signing_secrets": ["${secret:signing#flipt}"]}})
    assert ingest.signed().status == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize("encoding", ["signature", "token"])
def test_a_secret_that_was_rotated_after_it_was_fetched_costs_no_event(
    ingest: Ingest, elapsed: Elapsed, encoding: str
) -> None:
    def send(body: bytes, secret: str) -> int:
        if encoding == "signature":
            return ingest.signed(body, secret).status
        return ingest.post(body, bearer(secret), source="template").status

    old, name = (SECRET, "signing") if encoding == "signature" else (TOKEN, "token")
    assert send(EVENTS[0], old) == HTTPStatus.OK
    ingest.secret(name, ROTATED)
    elapsed.later(15)
    assert ingest.faults.calls["GetSecretValue"] == 1
    assert send(EVENTS[1], ROTATED) == HTTPStatus.OK
    assert ingest.faults.calls["GetSecretValue"] == 2
    assert send(EVENTS[2], ROTATED) == HTTPStatus.OK
    assert ingest.faults.calls["GetSecretValue"] == 2
    assert send(EVENTS[3], old) == HTTPStatus.UNAUTHORIZED
    assert [each.raw for each in ingest.drain()] == EVENTS[:3]


def test_a_secret_may_stand_in_the_parameter_store_or_in_a_variable(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest.canaries |= {"canary-parameter", "canary-variable"}
    parameter = {"Name": "/flagcast/test/signing", "Value": "canary-parameter", "Type": "SecureString"}
    operators("ssm").put_parameter(**parameter)
    monkeypatch.setenv("FLAGCAST_VAR_SIGNING", "canary-variable")
    for body, reference, secret in (
        (EVENTS[0], "${ssm:signing}", "canary-parameter"),
        (EVENTS[1], "${env:FLAGCAST_VAR_SIGNING}", "canary-variable"),
    ):
        ingest.configure({"flipt": {"signing_secrets": [reference]}})
        assert ingest.signed(body, secret).status == HTTPStatus.OK
        assert ingest.signed(body).status == HTTPStatus.UNAUTHORIZED
    ingest.configure({"flipt": {"signing_secrets": ["${env:FLAGCAST_VAR_ABSENT}"]}})
    assert ingest.signed(secret="").status == HTTPStatus.SERVICE_UNAVAILABLE
    assert [each.raw for each in ingest.drain()] == EVENTS[:2]


def test_a_secret_is_fetched_again_after_five_minutes_and_not_before(ingest: Ingest, elapsed: Elapsed) -> None:
    for seconds, calls in ((0, 1), (299, 1), (2, 2), (298, 2), (3, 3)):
        elapsed.later(seconds)
        assert ingest.signed().status == HTTPStatus.OK
        assert ingest.faults.calls["GetSecretValue"] == calls


def test_a_flood_of_forged_requests_becomes_a_fetch_every_fifteen_seconds_and_no_more(
    ingest: Ingest, elapsed: Elapsed
) -> None:
    assert ingest.signed().status == HTTPStatus.OK
    fetched_at: list[float] = [0]
    for second in range(1, 121):
        elapsed.later(1)
        for _ in range(3):
            before = ingest.faults.calls["GetSecretValue"]
            assert ingest.signed(secret=FORGED).status == HTTPStatus.UNAUTHORIZED
            fetched_at += [second] * (ingest.faults.calls["GetSecretValue"] - before)
    assert len(fetched_at) == 1 + 120 // 15
    assert all(later - earlier >= 15 for earlier, later in pairwise(fetched_at))
    assert ingest.waiting() == 1


@pytest.mark.parametrize("lost", ["signing", "next"])
def test_one_of_two_secrets_that_is_missing_does_not_stop_the_other(ingest: Ingest, lost: str) -> None:
    ingest.secret("next", ROTATED)
    ingest.lose_secret(lost)
    overlap(ingest)
    kept, gone = (ROTATED, SECRET) if lost == "signing" else (SECRET, ROTATED)
    assert ingest.signed(secret=kept).status == HTTPStatus.OK
    # What does not exist proves nothing: a secret that was deleted after a rotation makes no 503 of a forgery.
    assert ingest.signed(EVENTS[1], gone).status == HTTPStatus.UNAUTHORIZED
    assert [each.raw for each in ingest.drain()] == [EVENT]


def test_a_secret_that_was_deleted_proves_nothing_any_more(ingest: Ingest, elapsed: Elapsed) -> None:
    # The last good value of a store that fails stood in for it, for as long as the process lived.
    ingest.secret("next", ROTATED)
    overlap(ingest)
    assert ingest.signed(EVENTS[0]).status == HTTPStatus.OK
    ingest.lose_secret("signing")
    elapsed.later(301)
    assert ingest.signed(EVENTS[1]).status == HTTPStatus.UNAUTHORIZED
    assert ingest.signed(EVENTS[1], ROTATED).status == HTTPStatus.OK


def test_a_deleted_secret_costs_one_fetch_in_fifteen_seconds(ingest: Ingest, elapsed: Elapsed) -> None:
    # Each request that came more than a second after the last asked for it again.
    ingest.lose_secret("next")
    overlap(ingest)
    for body in EVENTS[:10]:
        elapsed.later(2)
        assert ingest.signed(body).status == HTTPStatus.OK
    assert ingest.faults.calls["GetSecretValue"] <= 1 + 2


@pytest.mark.parametrize("code", OUTAGES)
@pytest.mark.parametrize("age", [0, 301, 10_000])
def test_while_the_store_is_down_the_last_good_secret_goes_on_serving(
    ingest: Ingest, elapsed: Elapsed, code: str, age: int
) -> None:
    assert ingest.signed(EVENTS[0]).status == HTTPStatus.OK
    ingest.faults.fail("GetSecretValue", code)
    elapsed.later(age)
    for body in EVENTS[1:4]:
        elapsed.later(20)
        assert ingest.signed(body).status == HTTPStatus.OK
    assert [each.raw for each in ingest.drain()] == EVENTS[:4]
    assert (ingest.faults.calls["GetSecretValue"] > 1) == (age > 300)


@pytest.mark.parametrize("code", [*OUTAGES, "ResourceNotFoundException"])
def test_an_event_is_asked_for_again_while_no_secret_was_ever_had(ingest: Ingest, elapsed: Elapsed, code: str) -> None:
    ingest.faults.fail("GetSecretValue", code)
    answer = ingest.signed()
    assert (answer.status, answer.body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert ingest.stores_nothing()
    (line,) = ingest.output.lines
    assert (line["event"], line["source"], line["reason"]) == ("event.rejected", "flipt", "unavailable")
    assert "${secret:signing}" in line["detail"]
    ingest.faults.recover()
    elapsed.later(15 if code == "ResourceNotFoundException" else 1)
    assert ingest.signed().status == HTTPStatus.OK


@pytest.mark.parametrize("code", OUTAGES)
def test_a_mismatch_while_the_store_is_down_may_be_a_rotation_and_is_asked_for_again(
    ingest: Ingest, elapsed: Elapsed, code: str
) -> None:
    assert ingest.signed(EVENTS[0]).status == HTTPStatus.OK
    ingest.secret("signing", ROTATED)
    ingest.faults.fail("GetSecretValue", code)
    elapsed.later(15)
    for _ in range(3):
        assert ingest.signed(EVENTS[1], ROTATED).status == HTTPStatus.SERVICE_UNAVAILABLE
    ingest.faults.recover()
    elapsed.later(15)
    assert ingest.signed(EVENTS[1], ROTATED).status == HTTPStatus.OK
    assert [each.raw for each in ingest.drain()] == EVENTS[:2]


def test_a_request_without_any_credential_costs_no_call(ingest: Ingest) -> None:
    assert ingest.post().status == HTTPStatus.UNAUTHORIZED
    assert ingest.post(source="template").status == HTTPStatus.UNAUTHORIZED
    assert ingest.post(source="stranger").status == HTTPStatus.NOT_FOUND
    assert ingest.faults.calls.total() == 0
