import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.model import Ordering
from flagcast.events.event_filter import NOUNS, VERBS
from flagcast.events.subject import subject
from flagcast.tasks.routing import message_group_id, recipients, wants
from tests.support.captures import captured
from tests.unit.builders import JSON, destination, event, event_of

CHANGES = [event_of(each.body) for each in captured("flipt-1.61.0/changes")]
RULE = "74a8cf0d-8acc-4042-8f52-e6f5f630c3ae"
FILTERS = st.lists(
    st.builds("{}:{}".format, st.sampled_from(("*", *NOUNS)), st.sampled_from(("*", *VERBS))), min_size=1, max_size=4
)


def test_the_captured_changes_have_these_subjects() -> None:
    kinds: dict[tuple[str, ...], list[str]] = {}
    for each in CHANGES:
        kinds.setdefault(subject(each), []).append(f"{each.type}:{each.action}")
    assert kinds == {
        ("key", "production", "production"): ["namespace:created", "namespace:updated", "namespace:deleted"],
        ("flag", "production", "new-checkout"): [
            "flag:created", "flag:updated", "variant:created", "variant:created", "variant:updated", "rule:created",
            "rule:created", "rule:updated", "rule:updated", "rule:deleted", "rule:deleted", "variant:deleted",
            "flag:deleted",
        ],
        ("flag", "production", "dark-mode"): [
            "flag:created", "rollout:created", "rollout:created", "rollout:updated", "rollout:updated",
            "rollout:deleted", "flag:deleted",
        ],
        ("segment", "production", "beta-users"): [
            "segment:created", "constraint:created", "constraint:created", "constraint:updated", "constraint:deleted",
            "segment:deleted",
        ],
        ("segment", "production", "staff"): [
            "segment:created", "segment:updated", "constraint:created", "segment:deleted",
        ],
        ("rule", RULE): [
            "distribution:created", "distribution:created", "distribution:updated", "distribution:deleted",
        ],
    }  # fmt: skip


def test_denied_events_have_only_their_type() -> None:
    denied = [
        each for each in map(event_of, {one.body for one in captured("flipt-1.61.0/jwt-and-denied")}) if each.is_denied
    ]
    assert len(denied) == 9
    assert {subject(each) for each in denied} == {("type", each.type) for each in denied}


@pytest.mark.parametrize(
    ("type_", "payload", "expected"),
    [
        ("flag", {"key": "a", "namespace_key": "eu"}, ("flag", "eu", "a")),
        ("flag", {"key": "a", "namespace_key": ""}, ("flag", "default", "a")),
        ("flag", {"key": "a"}, ("flag", "default", "a")),
        ("rule", {"flag_key": "a"}, ("flag", "default", "a")),
        ("distribution", {"rule_id": "r", "flag_key": "a"}, ("rule", "r")),
        ("distribution", {"rule_id": "", "flag_key": "a"}, ("flag", "default", "a")),
        ("distribution", {"rule_id": 7}, ("type", "distribution")),
        ("constraint", {"segment_key": "s", "namespace_key": "eu"}, ("segment", "eu", "s")),
        ("namespace", {"key": "eu"}, ("key", "eu", "eu")),
        ("a-later-type", {"key": "k"}, ("key", "default", "k")),
        ("a-later-type", {"key": 7}, ("type", "a-later-type")),
        ("token", {"io.flipt.auth.token.name": "ci"}, ("type", "token")),
        ("flag", None, ("type", "flag")),
        ("flag", ["odd"], ("type", "flag")),
    ],
)
def test_values_make_the_subject_not_the_fields_they_stood_in(
    type_: str, payload: object, expected: tuple[str, ...]
) -> None:
    assert subject(event(type=type_, payload=payload)) == expected


def test_an_event_goes_to_each_destination_that_wants_it_in_the_order_of_the_configuration() -> None:
    routes = {
        "b": destination(events=["flag:*"]),
        "a": destination(),
        "d": destination(events=["rule:*"]),
        "c": destination(events=["rule:*", "*:updated"]),
    }
    assert recipients(routes, event(type="flag", action="updated")) == ["b", "a", "c"]
    assert recipients(routes, event(type="token", action="created")) == ["a"]
    assert recipients({}, event()) == []


@given(FILTERS, st.sampled_from(NOUNS), st.sampled_from(VERBS))
def test_a_destination_wants_what_any_one_of_its_filters_matches(filters: list[str], noun: str, verb: str) -> None:
    expected = any(f"{a}:{b}" in filters for a in ("*", noun) for b in ("*", verb))
    assert wants(destination(events=filters), event(type=noun, action=verb)) is expected


A, SAME_FLAG, OTHER_FLAG = (
    subject(event(payload={"key": "a"})),
    subject(event(type="rule", payload={"flag_key": "a", "namespace_key": "default"})),
    subject(event(payload={"key": "b"})),
)


@pytest.mark.parametrize(
    ("ordering", "same_flag", "other_flag"),
    [("subject", True, False), ("destination", True, True), ("none", False, False)],
)
def test_what_stays_in_order_shares_a_group(ordering: Ordering, same_flag: bool, other_flag: bool) -> None:
    group = message_group_id("d", ordering, A, "e1:d")
    assert (message_group_id("d", ordering, SAME_FLAG, "e2:d") == group) is same_flag
    assert (message_group_id("d", ordering, OTHER_FLAG, "e3:d") == group) is other_flag


@pytest.mark.parametrize("ordering", ["subject", "destination", "none"])
def test_two_destinations_never_share_a_group(ordering: Ordering) -> None:
    assert message_group_id("d1", ordering, A, "e1:d1") != message_group_id("d2", ordering, A, "e1:d2")


@given(
    st.sampled_from([*NOUNS, "later"]), st.dictionaries(st.sampled_from(["key", "flag_key", "rule_id"]), JSON) | JSON
)
def test_every_event_has_a_subject_of_nothing_but_text_and_so_a_group(type_: str, payload: object) -> None:
    about = subject(event(type=type_, payload=payload))
    assert all(about)
    assert len(message_group_id("d", "subject", about, "e:d")) == 48
