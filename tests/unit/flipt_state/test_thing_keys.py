"""Which thing an event is about, and the keys of rows."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flagcast.events.event import Event, InvalidEvent, parse
from flagcast.flipt_state.thing_keys import (
    MOST_NAMES,
    WITHOUT_ID,
    Thing,
    label,
    named_by,
    row_key,
    rows_of,
    thing_of,
    type_in,
)


def event(kind: str, payload: Any, action: str = "updated", **more: Any) -> Event:
    made = parse(json.dumps({"type": kind, "action": action, "payload": payload, **more}).encode())
    assert not isinstance(made, InvalidEvent)
    return made


IN_FLAG = {"namespace_key": "production", "flag_key": "new-ui"}


@pytest.mark.parametrize(
    ("kind", "payload", "thing"),
    [
        ("namespace", {"key": "production"}, Thing("namespace", ("production",))),
        ("flag", {"key": "new-ui", "namespace_key": "production"}, Thing("flag", ("production", "new-ui"))),
        ("flag", {"key": "new-ui"}, Thing("flag", ("default", "new-ui"))),
        ("segment", {"key": "beta", "namespace_key": "default"}, Thing("segment", ("default", "beta"))),
        ("variant", {"id": "v1", "key": "blue", **IN_FLAG}, Thing("variant", ("v1",))),
        ("constraint", {"id": "c1", "segment_key": "beta"}, Thing("constraint", ("c1",))),
        ("rule", {"id": "r1", **IN_FLAG}, Thing("rule", ("r1",))),
        ("distribution", {"id": "d1", "rule_id": "r1"}, Thing("distribution", ("d1",))),
        ("rollout", {"id": "o1", **IN_FLAG}, Thing("rollout", ("o1",))),
        ("rollout", IN_FLAG, Thing(WITHOUT_ID, ("production", "new-ui"))),
        ("rule", {"rule_ids": ["r1"], **IN_FLAG}, Thing("rule-order", ("production", "new-ui"))),
        ("rollout", {"rollout_ids": [], **IN_FLAG}, Thing("rollout-order", ("production", "new-ui"))),
        ("token", {"io.flipt.auth.token.name": "ci"}, Thing("token", ("", "ci"))),
        (
            "token",
            {"io.flipt.auth.token.name": "ci", "io.flipt.auth.token.namespace": "production"},
            Thing("token", ("production", "ci")),
        ),
    ],
)
def test_an_event_is_about_the_thing_that_its_payload_names(kind: str, payload: Any, thing: Thing) -> None:
    assert thing_of(event(kind, payload)) == thing


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("flag", None), ("flag", []), ("flag", {"name": "no key"}), ("flag", {"key": ""}), ("flag", {"key": 7}),
        ("variant", {"key": "blue", **IN_FLAG}), ("constraint", {"key": "plan"}), ("token", {"name": "ci"}),
        ("rule", {"rule_ids": ["r1"]}), ("rollout", {"description": "of no flag"}), ("distribution", {"rule_id": "r1"}),
    ],
)  # fmt: skip
def test_an_event_that_names_nothing_is_about_nothing(kind: str, payload: Any) -> None:
    assert thing_of(event(kind, payload)) is None


def test_a_denied_event_is_about_nothing_even_with_a_payload() -> None:
    assert thing_of(event("flag", {"key": "new-ui"}, status="denied")) is None


def test_a_distribution_is_named_by_its_variant_and_its_rule() -> None:
    named = named_by(event("distribution", {"id": "d1", "rule_id": "r1", "variant_id": "v1"}))
    assert named == {"v1": Thing("variant", ("v1",)), "r1": Thing("rule", ("r1",))}
    assert named_by(event("distribution", {"id": "d1", "variant_id": 7})) == {}


@pytest.mark.parametrize("kind", ["rule", "rollout"])
def test_an_order_is_named_by_what_it_lists_as_far_as_that_is_read(kind: str) -> None:
    listed = [f"{number}" for number in range(MOST_NAMES + 5)]
    named = named_by(event(kind, {f"{kind}_ids": [None, "", *listed], **IN_FLAG}))
    assert named == {each: Thing(kind, (each,)) for each in listed[:MOST_NAMES]}


@pytest.mark.parametrize(
    ("kind", "payload"),
    [("flag", {"key": "new-ui"}), ("flag", None), ("flag", {"rule_ids": ["r1"]}), ("rule", {"rollout_ids": ["o1"]})],
)
def test_other_events_have_no_ids_to_name(kind: str, payload: Any) -> None:
    assert named_by(event(kind, payload)) == {}


def test_a_plain_name_can_be_read_in_its_key_and_an_odd_one_by_its_type() -> None:
    assert row_key("flipt", Thing("flag", ("production", "new-ui"))) == "known#flipt#flag#production/new-ui"
    odd = row_key("flipt", Thing("flag", ("production", "a/b")))
    assert odd.startswith("known#flipt#flag##")
    assert [type_in(each, "flipt") for each in (odd, "known#flipt#rule#1")] == ["flag", "rule"]
    assert type_in(row_key("flipt", Thing("odd#type", ("a",))), "flipt") == ""


def test_a_long_name_makes_a_key_that_dynamodb_takes() -> None:
    assert len(row_key("flipt", Thing("flag", ("n" * 5_000, "é" * 5_000))).encode()) < 2_048


ODD = st.text(st.sampled_from("ab/#\0é ,\ud800"), max_size=4) | st.text(max_size=3) | st.just("n" * 201)
THINGS = st.builds(
    Thing, st.sampled_from(["flag", "rule", "odd#", "flag#"]), st.lists(ODD, min_size=1, max_size=3).map(tuple)
)


@given(THINGS, THINGS)
# Bug: the parts of an odd name were joined by NUL, which can be in one.
@example(Thing("flag", ("a\0b", "c")), Thing("flag", ("a", "b\0c")))
@example(Thing("flag", ("", "a")), Thing("flag", ("a", "")))
def test_two_things_have_two_keys(one: Thing, other: Thing) -> None:
    assert (row_key("flipt", one) == row_key("flipt", other)) == (one == other)
    assert row_key("flipt", one).startswith(rows_of("flipt"))


@pytest.mark.parametrize(
    ("kind", "state", "said"),
    [
        ("variant", {"key": "blue", "name": "Blue"}, "blue"),
        ("constraint", {"property": "plan"}, "plan"),
        ("rule", {"segment_key": "beta,staff"}, "beta, staff"),
        ("rule", {"segment_key": ""}, None),
        ("rollout", {"threshold": {"percentage": 25.5}}, "25.5 %"),
        ("rollout", {"threshold": {}}, "0 %"),
        ("rollout", {"segment": {"key": "beta"}}, "beta"),
        ("rollout", {"threshold": {"percentage": "half"}}, None),
        ("rollout", {}, None),
        ("flag", {"key": "new-ui", "name": "New UI"}, "New UI"),
        ("flag", {"name": 7}, None),
    ],
)
def test_a_things_label_is_what_people_call_it(kind: str, state: dict[str, Any], said: str | None) -> None:
    assert label(kind, state) == said
