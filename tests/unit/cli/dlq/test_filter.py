from typing import Any

import pytest

from flagcast.tasks.task import encode
from flagcast_cli.dlq.filter import Filter, read_age
from flagcast_cli.dlq.letters import Absent, Letter
from tests.unit.builders import body, task_for
from tests.unit.cli.dlq.test_letters import letter

NOW = 1000 + 2 * 3600


def wanted(**words: Any) -> bool:
    return Filter.of(**words).matches(letter(reason="rejected"), NOW)


def test_without_a_word_every_letter_is_meant() -> None:
    assert wanted()
    assert Filter.of().matches(letter("{"), NOW)
    assert Filter().wants(Absent("gone"))


@pytest.mark.parametrize(
    "words",
    [
        {"destination": "mirror"},
        {"reason": "rejected"},
        {"older_than": "1h59m59s"},
        {"newer_than": "2h1s"},
        {"event_id": "evt_1"},
        {"destination": "mirror", "reason": "rejected", "older_than": "1h", "newer_than": "1d", "event_id": "m1"},
    ],
)
def test_a_letter_that_is_as_every_word_says_is_meant(words: dict[str, str]) -> None:
    assert wanted(**words)


@pytest.mark.parametrize(
    "words",
    [
        {"destination": "mirro"},
        {"reason": "gone"},
        {"older_than": "2h"},
        {"newer_than": "2h"},
        {"event_id": "evt_2"},
        {"destination": "mirror", "reason": "gone"},
    ],
)
def test_a_letter_that_is_not_as_one_word_says_is_not_meant(words: dict[str, str]) -> None:
    assert not wanted(**words)


def about(text: str) -> Letter:
    noun, _, verb = text.partition(":")
    return letter(encode(task_for(raw=body(type=noun, action=verb))))


@pytest.mark.parametrize(
    ("typed", "event", "meant"),
    [
        ("flag", "flag:updated", True),
        ("flag", "segment:updated", False),
        ("flag:updated", "flag:updated", True),
        ("flag:updated", "flag:deleted", False),
        ("*:deleted", "token:deleted", True),
        ("*", "unheard:of", True),
    ],
)
def test_a_type_is_a_filter_as_the_configuration_has_it_or_its_noun_alone(typed: str, event: str, meant: bool) -> None:
    facts = about(event).facts()
    assert facts is not None
    assert Filter.of(type=typed).wants(facts) is meant


def test_what_has_no_event_is_of_no_type() -> None:
    assert not Filter.of(type="*").wants(Absent("gone"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("3d", 259_200), ("1d12h", 129_600), ("90s", 90), ("0", 0), ("1h30m", 5400)]
)
def test_an_age_is_a_duration_in_which_days_may_stand_first(text: str, seconds: float) -> None:
    assert read_age(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "3", "-3d", "1.5d", "3d3", "3dd", "1h2d", "٣d", "3 d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        read_age(text)


@pytest.mark.parametrize("text", ["flags", "flag:", "flag:on", "", ":"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|expected"):
        Filter.of(type=text)
