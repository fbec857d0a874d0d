from typing import get_args

import pytest

from flagcast.tasks.outcomes import Reason
from flagcast_cli.dlq.letters import QUEUE_NET, Absent, Letter
from flagcast_cli.dlq.output import _WHAT_FOLLOWS, age, counted_letters, next_steps
from tests.unit.cli.dlq.test_letters import letter

SINCE = [
    (0, "0s"),
    (-5, "0s"),
    (59.9, "59s"),
    (60, "1m"),
    (3661, "1h1m"),
    (86_400, "1d"),
    (97_200, "1d3h"),
    (86_460, "1d1m"),
]


@pytest.mark.parametrize(("seconds", "text"), SINCE)
def test_an_age_is_said_in_at_most_two_units(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_letters_are_counted_and_hidden_ones_allowed_for() -> None:
    assert counted_letters([letter(reason="gone")]) == "1 dead letter"
    assert counted_letters([letter(reason="gone")] * 2) == "2 dead letters"
    assert counted_letters([letter(reason="gone"), letter()]) == "at least 2 dead letters"


def command(each: Letter, stack: str = "flagcast") -> str:
    facts = each.facts()
    assert facts is not None
    return next_steps(each, facts, stack)[1].strip()


def test_the_next_command_names_the_event_its_destination_and_the_stack() -> None:
    assert command(letter(reason="gone")) == "flagcast dlq redrive --event-id evt_1 --destination mirror"
    assert command(letter(), "prod").endswith(" --destination mirror --stack prod")
    assert command(letter("{", event_id="$(reboot)")) == "flagcast dlq drop --event-id '$(reboot)'"


def test_every_reason_but_those_of_no_event_has_its_advice() -> None:
    # What is unreadable or no event cannot be redriven, whatever is fixed.
    assert {*_WHAT_FOLLOWS} == {*get_args(Reason), QUEUE_NET} - {"unreadable", "invalid_event"}
    for reason in (*_WHAT_FOLLOWS, "of a later version"):
        each = letter(reason=reason)
        facts = each.facts()
        assert facts is not None
        follows, words = next_steps(each, facts, "flagcast")
        assert (follows.endswith(":"), words.strip().split()[2]) == (True, "redrive")


def test_a_letter_that_cannot_be_redriven_is_to_be_dropped() -> None:
    follows, words = next_steps(letter(), Absent("its body is gone"), "flagcast")
    assert follows.startswith("It cannot be redriven: its body is gone.")
    assert words.strip() == "flagcast dlq drop --event-id evt_1 --destination mirror"
