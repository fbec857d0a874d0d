from typing import get_args

import pytest

from flagcast.config.model import Retry
from flagcast.notices import trouble
from flagcast.notices.trouble import SHORTEST, Trouble, is_delivery, is_over, of_dead_letter, of_outcome
from flagcast.tasks import outcomes
from flagcast.tasks.outcomes import (
    Answered,
    BlockedAddress,
    CircuitOpen,
    DependencyFailed,
    Faulty,
    Filtered,
    GiveUp,
    NotAccepted,
    NotNow,
    Outcome,
    Paused,
    Slowed,
    Throttled,
    Unreachable,
)

NOW = 1000.9


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (Answered(503, None, "sorry"), Trouble("circuit_open", 1000, 503, "sorry")),
        (Unreachable("timeout"), Trouble("circuit_open", 1000, None, "no answer: timeout")),
        (Faulty("url: is not https"), Trouble("faulty", 1000, None, "url: is not https")),
    ],
)
def test_what_opened_a_circuit_or_holds_a_destination_is_a_trouble(outcome: Outcome, shown: Trouble) -> None:
    assert of_outcome(outcome, Retry(), NOW, has_opened=True) == shown


@pytest.mark.parametrize("outcome", [Answered(503), Answered(429), Answered(400), Answered(200), Unreachable("tls")])
def test_an_answer_alone_is_none_yet(outcome: Outcome) -> None:
    assert of_outcome(outcome, Retry(), NOW, has_opened=False) is None


@pytest.mark.parametrize(
    "outcome",
    [
        Paused(), Throttled(1), Slowed(1), CircuitOpen(), Filtered(), DependencyFailed("x"), NotAccepted(200, "x"),
        BlockedAddress("x"),
    ],
)  # fmt: skip
def test_what_is_only_put_off_is_none_and_what_is_given_up_becomes_one_with_its_dead_letter(outcome: Outcome) -> None:
    assert of_outcome(outcome, Retry(), NOW, has_opened=True) is None


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (Answered(429, 900, "slow down"), 900),
        (Answered(503, 3600, "slow down"), 3600),
        (Answered(403, 3600, "slow down"), 3600),
        (NotNow(200, 3600, "slow down"), 3600),
    ],
)
def test_a_long_rest_is_a_trouble_that_tells_how_long(outcome: Answered | NotNow, seconds: int) -> None:
    # Nothing was sent for half a day, since epoch seconds were taken for seconds to wait, and no one was told.
    said = f"Retry-After: {seconds} s. slow down"
    assert of_outcome(outcome, Retry(), NOW, has_opened=False) == Trouble("resting", 1000, outcome.status, said)


@pytest.mark.parametrize(
    "outcome",
    [
        Answered(429, 899), Answered(429), Answered(200, 3600), Answered(302, 3600), Answered(410, 3600),
        Answered(302, 3600, is_accepted=True), NotNow(200, None, ""), NotNow(200, 899, ""), Answered(400),
    ],
)  # fmt: skip
def test_a_short_rest_or_one_that_is_not_asked_for_is_none(outcome: Outcome) -> None:
    assert of_outcome(outcome, Retry(), NOW, has_opened=False) is None


OWN = {"unknown_destination", "unreadable", "body_missing", "invalid_event"}


@pytest.mark.parametrize("reason", get_args(outcomes.Reason))
def test_a_dead_letter_is_a_trouble_unless_the_reason_is_the_messages_own(reason: outcomes.Reason) -> None:
    shown = of_dead_letter(GiveUp(reason, "detail", 400), NOW)
    assert shown is None if reason in OWN else shown is not None and shown.reason == reason
    assert shown in (None, Trouble(shown.reason if shown else "gone", 1000, 400, "detail"))


def test_every_reason_of_a_dead_letter_is_one_here_but_those() -> None:
    assert set(get_args(trouble.Reason)) == set(get_args(outcomes.Reason)) - OWN | {"circuit_open", "faulty", "resting"}


def test_a_long_answer_is_cut() -> None:
    shown = of_dead_letter(GiveUp("rejected", "x" * 1000), NOW)
    assert shown is not None
    assert shown.excerpt == "x" * 300


def test_a_delivery_is_a_2xx_that_was_accepted() -> None:
    assert [is_delivery(each) for each in (Answered(200), Answered(299), Answered(300), Answered(199))] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not is_delivery(NotAccepted(200, "no"))


def test_a_trouble_lasts_a_while_at_least_but_no_longer_than_a_circuit_stays_open() -> None:
    began = Trouble("rejected", 1000)
    assert not is_over(began, 1000 + SHORTEST - 0.1)
    assert is_over(began, 1000 + SHORTEST)
    assert SHORTEST < 35
