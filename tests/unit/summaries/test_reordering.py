"""What moved, where rules or rollouts were put into another order."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flagcast.events.event import Event
from flagcast.summaries.event_summary import summarise
from flagcast.summaries.reordering import moves_of
from tests.unit.builders import changed

NAMES = {"a": "beta-users", "b": "staff", "c": "25.5 %"}


def order(before: object, after: object, kind: str = "rule", **known: Any) -> Event:
    fixed = {"flag_key": "new-ui", "namespace_key": "eu"}
    was = {**fixed, f"{kind}_ids": before}
    return changed(kind, was, {**fixed, f"{kind}_ids": after}, **({"names": NAMES} | known))


@pytest.mark.parametrize(
    ("before", "after", "said", "lines"),
    [
        ("ab", "ba", "moved the rule for staff of flag new-ui from position 2 to 1",
         ["Rule for staff: position 2 → 1"]),
        ("abcd", "bcda", "moved the rule for beta-users of flag new-ui from position 1 to 4",
         ["Rule for beta-users: position 1 → 4"]),
        ("abcd", "dabc", "moved rule d of flag new-ui from position 4 to 1", ["Rule d: position 4 → 1"]),
        ("abcd", "badc", "reordered rules of flag new-ui",
         ["Rule for staff: position 2 → 1", "Rule d: position 4 → 3"]),
        ("abc", "cba", "reordered rules of flag new-ui",
         ["Rule to 25.5 %: position 3 → 1", "Rule for beta-users: position 1 → 3"]),
        ("ab", "ab", "saved the order of rules of flag new-ui without a change", []),
    ],
)  # fmt: skip
def test_an_order_says_what_moved_from_where_to_where(before: str, after: str, said: str, lines: list[str]) -> None:
    summary = summarise(order(list(before), list(after)))
    assert summary.title == f"ada {said}"
    assert list(summary.changes) == lines


def test_a_rollout_that_moved_is_called_by_its_share_or_its_segments() -> None:
    summary = summarise(order(["a", "c"], ["c", "a"], "rollout"))
    assert summary.title == "ada moved the rollout to 25.5 % of flag new-ui from position 2 to 1"
    assert dict(summary.facts)["Order"] == "25.5 %, beta-users"


def test_what_moved_has_no_flag_where_none_is_named() -> None:
    made = changed("rule", {"rule_ids": ["a", "b"]}, {"rule_ids": ["b", "a"]})
    assert summarise(made).title == "ada moved rule b from position 2 to 1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["a", "b"], ["b", "c"]),
        (["a", "a"], ["a", "a"]),
        (["a", "b"], ["b"]),
        ("ab", ["b", "a"]),
        ([], []),
        ([1, 2], [2, 1]),
    ],
)
def test_where_the_order_before_is_not_one_of_the_same_nothing_moved(before: object, after: object) -> None:
    made = order(before, after)
    assert moves_of(made) == []
    assert "moved" not in summarise(made).title


def test_an_order_too_long_to_be_carried_says_only_that_there_is_another() -> None:
    summary = summarise(order(["a", "b"], ["b", "a"], previous=None))
    assert summary.title == "ada reordered rules of flag new-ui"
    assert summary.changes == ()


@settings(deadline=None)
@given(st.permutations(list("abcdefgh")))
def test_moving_what_moved_gives_the_new_order(after: list[str]) -> None:
    before = list("abcdefgh")
    moves = moves_of(order(before, after))
    moved = {each.id for each in moves}
    assert [each for each in before if each not in moved] == [each for each in after if each not in moved]
    assert all(before[each.before - 1] == each.id == after[each.after - 1] for each in moves)


@settings(deadline=None)
@given(st.permutations(list("abcdefgh")))
@example(list("hgfedcba"))
@example(list("decabfgh"))  # The third is where it was, and still must be moved by the fewest moves.
def test_nothing_is_said_to_have_moved_to_where_it_was(after: list[str]) -> None:
    # Bug: of three rules whose order was reversed, one was said to have moved from position 2 to 2.
    before = list("abcdefgh")
    said = [line.rpartition(": position ")[2] for line in summarise(order(before, after)).changes]
    assert all(was != now for was, _, now in (sides.partition(" → ") for sides in said))
