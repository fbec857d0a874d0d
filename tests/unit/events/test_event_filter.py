import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.events.event_filter import EVERY_EVENT, NOUNS, VERBS, EventFilter
from tests.support.captures import every_capture
from tests.unit.builders import event, event_of


@pytest.mark.parametrize(
    ("written", "type_", "action", "matches"),
    [
        ("flag:updated", "flag", "updated", True),
        ("flag:updated", "flag", "deleted", False),
        ("flag:updated", "rule", "updated", False),
        ("flag:*", "flag", "deleted", True),
        ("flag:*", "rule", "deleted", False),
        ("*:deleted", "rule", "deleted", True),
        ("*:deleted", "rule", "created", False),
        ("*:*", "flag", "updated", True),
        ("*:*", "a-later-type", "a-later-action", True),
        ("*:created", "a-later-type", "created", True),
    ],
)
def test_a_filter_matches_noun_and_verb_and_a_star_matches_any(
    written: str, type_: str, action: str, matches: bool
) -> None:
    assert EventFilter.parse(written).matches(event(type=type_, action=action)) is matches


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("flag", "expected noun:verb such as flag:updated or *:*, got 'flag'"),
        ("", "expected noun:verb such as flag:updated or *:*, got ''"),
        (None, "expected noun:verb such as flag:updated or *:*, got nothing"),
        (["flag:*"], "expected noun:verb such as flag:updated or *:*, got a list"),
        ("flags:updated", f"unknown 'flags': expected one of *, {', '.join(NOUNS)}"),
        ("Flag:updated", f"unknown 'Flag': expected one of *, {', '.join(NOUNS)}"),
        (":updated", f"unknown '': expected one of *, {', '.join(NOUNS)}"),
        ("flag:update", f"unknown 'update': expected one of *, {', '.join(VERBS)}"),
        ("flag:", f"unknown '': expected one of *, {', '.join(VERBS)}"),
        ("flag:updated:x", f"unknown 'updated:x': expected one of *, {', '.join(VERBS)}"),
        ("flag: updated", f"unknown ' updated': expected one of *, {', '.join(VERBS)}"),
    ],
)
def test_what_is_no_filter_is_refused_with_a_sentence(bad: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        EventFilter.parse(bad)


def test_every_captured_event_has_a_noun_and_a_verb_that_filters_know() -> None:
    events = [event_of(each.body) for each in every_capture() if each.signed]
    assert {each.type for each in events} == set(NOUNS)
    assert {each.action for each in events} == set(VERBS)


@given(st.sampled_from(("*", *NOUNS)), st.sampled_from(("*", *VERBS)), st.sampled_from(NOUNS), st.sampled_from(VERBS))
def test_a_filter_is_the_conjunction_of_its_two_words(noun: str, verb: str, type_: str, action: str) -> None:
    expected = (noun in ("*", type_)) and (verb in ("*", action))
    assert EventFilter.parse(f"{noun}:{verb}").matches(event(type=type_, action=action)) is expected


@given(st.text() | st.from_regex(r"[a-z*]*:[a-z*]*", fullmatch=True))
def test_any_text_is_a_filter_that_says_itself_or_a_value_error(text: str) -> None:
    try:
        parsed = EventFilter.parse(text)
    except ValueError:
        return
    noun, verb = parsed.split(":")
    assert parsed == text
    assert noun in ("*", *NOUNS)
    assert verb in ("*", *VERBS)


def test_the_default_lets_everything_pass() -> None:
    assert [each.matches(event(type="anything", action="at-all")) for each in EVERY_EVENT] == [True]
