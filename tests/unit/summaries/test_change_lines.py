"""What an update changed, in a sentence and in lines."""

import json
from typing import Any

import pytest
from msgspec import structs

from flagcast.events.change_context import Change, Known
from flagcast.events.event import Event
from flagcast.flipt_state.stored_state import digest
from flagcast.summaries.change_lines import LONGEST_LINE
from flagcast.summaries.event_summary import summarise
from tests.support.captures import states
from tests.unit.builders import changed, event

FLAG = {"key": "new-ui", "name": "New UI", "description": "one page", "enabled": False, "namespace_key": "eu"}
VARIANT = {"id": "v1", "flag_key": "new-ui", "key": "blue", "name": "Blue", "attachment": "", "namespace_key": "eu"}
SEGMENT = {"key": "beta", "name": "Beta", "match_type": "ALL_MATCH_TYPE", "description": "", "namespace_key": "eu"}
CONSTRAINT = {
    "id": "c1", "segment_key": "beta", "type": "NUMBER_COMPARISON_TYPE", "property": "age", "operator": "neq",
    "value": "0", "namespace_key": "eu",
}  # fmt: skip
RULE = {"id": "r1", "flag_key": "new-ui", "segment_key": "beta", "distributions": [], "rank": 1, "namespace_key": "eu"}
SHARE = {
    "id": "o1", "flag_key": "new-ui", "description": "", "rank": 1, "namespace_key": "eu",
    "threshold": {"percentage": 25.5, "value": True},
}  # fmt: skip
TARGET = {**SHARE, "threshold": None, "segment": {"key": "beta", "value": True}}
DISTRIBUTION = {"id": "d1", "rule_id": "r1", "variant_id": "v1", "rollout": 60}
NAMESPACE = {"key": "eu", "name": "Europe", "description": "", "protected": False}
KNOWN_OWNER: dict[str, Any] = {
    "names": {"v1": "blue", "r1": "beta-users"},
    "flag_key": "new-checkout",
    "namespace": "production",
}


def title(made: Event) -> str:
    return summarise(made).title


def lines(made: Event) -> list[str]:
    return list(summarise(made).changes)


@pytest.mark.parametrize(
    ("kind", "before", "now", "said"),
    [
        ("flag", FLAG, {"enabled": True}, "turned on flag new-ui"),
        ("flag", {**FLAG, "enabled": True}, {"enabled": False}, "turned off flag new-ui"),
        ("flag", FLAG, {"name": "Newest UI"}, "renamed flag new-ui to “Newest UI”"),
        ("flag", FLAG, {"name": ""}, "removed the name of flag new-ui"),
        ("flag", FLAG, {"description": "two pages"}, "reworded the description of flag new-ui"),
        ("flag", {**FLAG, "description": ""}, {"description": "a"}, "added a description to flag new-ui"),
        ("flag", FLAG, {"description": ""}, "removed the description of flag new-ui"),
        ("flag", {**FLAG, "default_variant": "a"}, {"default_variant": "b"}, "updated flag new-ui"),
        ("flag", {**FLAG, "default_variant": "a"}, {"default_variant": "", "enabled": True},
         "turned on flag new-ui"),
        ("flag", FLAG, {"enabled": True, "name": "B"}, "turned on flag new-ui and changed the name"),
        ("flag", FLAG, {"enabled": True, "name": "B", "description": "c"},
         "turned on flag new-ui and changed the name and description"),
        ("flag", FLAG, {"a": 1, "b": 2, "c": 3, "d": 4, "enabled": True},
         "turned on flag new-ui and changed the a, b and 2 more fields"),
        ("flag", FLAG, {"metadata": {"team": "web"}}, "changed the metadata.team of flag new-ui to web"),
        ("flag", FLAG, {"enabled": "?"}, "changed the enabled of flag new-ui to ? (from no)"),
        ("flag", FLAG, {}, "saved flag new-ui without a change that its event shows"),
        ("flag", FLAG, {"rank": 3}, "saved flag new-ui without a change that its event shows"),
        ("variant", VARIANT, {"key": "red"}, "changed the key of variant red of flag new-ui to red (from blue)"),
        ("variant", VARIANT, {"name": "B"}, "renamed variant blue of flag new-ui to “B”"),
        ("segment", SEGMENT, {"match_type": "ANY_MATCH_TYPE"},
         "changed segment beta to match any constraint (from every constraint)"),
        ("constraint", CONSTRAINT, {"operator": "isoneof", "value": "[1,2]"},
         "changed constraint age of segment beta: age is not 0 → age is one of 1, 2"),
        ("constraint", CONSTRAINT, {"type": "STRING_COMPARISON_TYPE"},
         "changed the type of constraint age of segment beta to string (from number)"),
        ("rule", RULE, {"segment_key": "beta,staff", "segment_operator": "AND_SEGMENT_OPERATOR"},
         "changed a rule of flag new-ui: now targets beta and staff (before: beta)"),
        ("rule", {**RULE, "segment_key": "beta,staff", "segment_operator": "AND_SEGMENT_OPERATOR"},
         {"segment_operator": "OR_SEGMENT_OPERATOR"},
         "changed a rule of flag new-ui: now targets beta or staff (before: beta and staff)"),
        ("rule", RULE, {"segment_key": ""}, "removed the segments of a rule of flag new-ui"),
        ("rollout", SHARE, {"threshold": {"percentage": 50, "value": True}},
         "rolled out flag new-ui to 50 % (from 25.5 %)"),
        ("rollout", {**SHARE, "threshold": {"percentage": 10, "value": False}},
         {"threshold": {"percentage": 50, "value": False}}, "changed a rollout of flag new-ui: 10 % → 50 %"),
        ("rollout", SHARE, {"threshold": {"percentage": 25.5, "value": False}},
         "changed the value of a rollout of flag new-ui to false (from true)"),
        ("rollout", TARGET, {"segment": {"key": "staff", "value": True}},
         "changed a rollout of flag new-ui: now targets staff (before: beta)"),
        ("rollout", SHARE, TARGET,
         "changed a rollout of flag new-ui: now targets beta and changed the share"),
        ("rollout", TARGET, {**SHARE, "segment": None}, "rolled out flag new-ui to 25.5 % and changed the segments"),
        ("namespace", NAMESPACE, {"protected": True}, "protected namespace eu"),
        ("namespace", {**NAMESPACE, "protected": True}, {"protected": False}, "unprotected namespace eu"),
        ("constraint", CONSTRAINT, {}, "saved constraint age of segment beta without a change that its event shows"),
        ("segment", SEGMENT, {}, "saved segment beta without a change"),
        ("rollout", SHARE, {"rank": 2}, "saved a rollout of flag new-ui to 25.5 % without a change"),
        ("experiment", {"key": "x", "size": 1}, {"size": 2}, "changed the size of experiment x to 2 (from 1)"),
    ],
)  # fmt: skip
def test_a_title_says_what_an_update_changed(kind: str, before: dict[str, Any], now: dict[str, Any], said: str) -> None:
    assert title(changed(kind, before, {**before, **now})) == f"ada {said}"


@pytest.mark.parametrize("is_large", [False, True])
def test_the_words_are_the_same_where_the_payload_before_was_too_large_to_be_carried(is_large: bool) -> None:
    known = {"previous": None} if is_large else {}
    made = changed("rollout", SHARE, {**SHARE, "threshold": {"percentage": 50, "value": True}}, **known)
    assert title(made) == "ada rolled out flag new-ui to 50 % (from 25.5 %)"
    assert lines(made) == ["Share: 25.5 % → 50 %"]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (KNOWN_OWNER, "changed variant blue of flag new-checkout for beta-users: 60 % → 33 %"),
        ({"names": {"v1": "blue"}}, "changed variant blue: 60 % → 33 %"),
        ({"flag_key": "new-checkout"}, "changed a distribution of flag new-checkout: 60 % → 33 %"),
        ({}, "changed a distribution: 60 % → 33 %"),
    ],
)
def test_a_distribution_is_called_by_its_variant_its_flag_and_its_segments(known: dict[str, Any], said: str) -> None:
    made = changed("distribution", DISTRIBUTION, {**DISTRIBUTION, "rollout": 33}, **known)
    assert title(made) == f"ada {said}"
    assert lines(made) == ["Share: 60 % → 33 %"]


def test_ids_that_nothing_is_known_of_stay_ids() -> None:
    facts = dict(summarise(changed("distribution", DISTRIBUTION, {**DISTRIBUTION, "rollout": 33})).facts)
    assert (facts["Variant"], facts["Rule"]) == ("v1", "r1")
    facts = dict(summarise(changed("distribution", DISTRIBUTION, DISTRIBUTION, **KNOWN_OWNER)).facts)
    assert (facts["Variant"], facts["Rule"]) == ("blue", "beta-users")


@pytest.mark.parametrize(
    ("action", "payload", "said"),
    [
        ("created", DISTRIBUTION, "created the distribution of variant blue of flag new-checkout for beta-users: 60 %"),
        ("deleted", {"id": "d1", "variant_id": "v1", "rule_id": "r1"},
         "deleted the distribution of variant blue of flag new-checkout for beta-users (was 60 %)"),
        ("created", {"id": "d1", "variant_id": "v1"}, "created the distribution of variant blue of flag new-checkout"),
    ],
)  # fmt: skip
def test_a_distribution_that_comes_or_goes_says_its_share(action: str, payload: dict[str, Any], said: str) -> None:
    previous = DISTRIBUTION if action == "deleted" else None
    made = event(type="distribution", action=action, payload=payload, metadata={"actor": {"name": "ada"}})
    assert title(structs.replace(made, known=Known(True, previous=previous, **KNOWN_OWNER))) == f"ada {said}"


@pytest.mark.parametrize(
    ("kind", "before", "now", "said"),
    [
        ("flag", FLAG, {"enabled": True}, ["Enabled: no → yes"]),
        ("flag", FLAG, {"name": "B", "enabled": True}, ["Enabled: no → yes", "Name: New UI → B"]),
        ("flag", FLAG, {"description": ""}, ["Description: one page → none"]),
        ("flag", FLAG, {"default_variant": "a"}, ["Default variant: a (not known before)"]),
        ("flag", {**FLAG, "default_variant": "a"}, {"default_variant": "b"},
         ["Default variant: b (a when last seen)"]),
        ("flag", {**FLAG, "default_variant": "a"}, {"default_variant": ""},
         ["Default variant: none (a when last seen)"]),
        ("flag", FLAG, {"name": "New UI\x00"}, ["Name: New UI (changed)"]),
        ("flag", {**FLAG, "tags": ["a"]}, {"tags": ["b"]}, ['tags: ["a"] → ["b"]']),
        ("constraint", CONSTRAINT, {"value": "1"}, ["Constraint: age is not 0 → age is not 1"]),
        ("rollout", SHARE, TARGET, ["Share: 25.5 % → none", "Segments: none → beta"]),
        ("flag", FLAG, {f"f{at:02}": at for at in range(13)},
         [*(f"f{at:02}: none → {at}" for at in range(9)), "and 4 more changes"]),
    ],
)  # fmt: skip
def test_a_line_says_what_was_there_and_what_is(
    kind: str, before: dict[str, Any], now: dict[str, Any], said: list[str]
) -> None:
    assert lines(changed(kind, before, {**before, **now})) == said


def attached(old: str, new: str, **known: Any) -> Event:
    return changed("variant", {**VARIANT, "attachment": old}, {**VARIANT, "attachment": new}, **known)


def test_a_large_attachment_is_said_by_its_size_and_the_keys_that_changed() -> None:
    old = json.dumps({"color": "red", "steps": "x" * 11_974})
    new = json.dumps({"color": "blue", "steps": "x" * 13_970})
    made = attached(old, new, previous=None)
    assert title(made) == ("ada changed the attachment of variant blue of flag new-ui (12 kB → 14 kB): color and steps")
    assert lines(made) == ["Attachment: 12 kB → 14 kB, changed keys: color and steps"]


@pytest.mark.parametrize(
    ("old", "new", "said", "line"),
    [
        ('{"a":1}', '{"a":2}', "changed the attachment of variant blue of flag new-ui: a",
         'Attachment: {"a":1} → {"a":2}'),
        ("", '{"a":1}', "changed the attachment of variant blue of flag new-ui", 'Attachment: none → {"a":1}'),
        ('{"a":1}', "", "removed the attachment of variant blue of flag new-ui", 'Attachment: {"a":1} → none'),
        ("x" * 999, "x" * 1_500_000, "changed the attachment of variant blue of flag new-ui (999 bytes → 1.5 MB)",
         "Attachment: 999 bytes → 1.5 MB"),
        ("x" * 1_200, "y" * 1_200, "changed the attachment of variant blue of flag new-ui (1 kB as before)",
         "Attachment: 1 kB as before"),
        ("y", "x" * 201, "changed the attachment of variant blue of flag new-ui (1 byte → 201 bytes)",
         "Attachment: 1 byte → 201 bytes"),
        ('{"a":1,"long":"' + "x" * 60 + '"}', '{"a":2,"b":1,"c":1,"d":1}',
         "changed the attachment of variant blue of flag new-ui (77 bytes → 25 bytes): a, b, c and more",
         "Attachment: 77 bytes → 25 bytes, changed keys: a, b, c, d and long"),
    ],
)  # fmt: skip
def test_an_attachment_is_shown_where_it_is_short(old: str, new: str, said: str, line: str) -> None:
    made = attached(old, new)
    assert title(made) == f"ada {said}"
    assert lines(made) == [line]


def test_what_the_events_of_a_type_leave_out_is_not_said_to_be_as_it_was() -> None:
    # A flag's metadata and a constraint's description are in Flipt's REST answers, and in no event.
    [flag] = [
        each for each in states()[-10].state["by_namespace"]["production"]["flags"] if each["key"] == "new-checkout"
    ]
    assert "metadata" in flag
    events = [json.loads(body) for change in states() for body in change.events]
    assert not any("metadata" in each["payload"] for each in events)
    assert not any("description" in each["payload"] for each in events if each["type"] == "constraint")


def test_where_nothing_is_known_the_event_is_said_as_it_came() -> None:
    summary = summarise(event(payload=FLAG, metadata={"actor": {"name": "ada"}}))
    assert summary.title == "ada updated flag new-ui"
    assert summary.changes == ()


def test_what_may_not_be_a_change_is_not_told_as_one() -> None:
    # An older Flipt never sent default_variant: that it is there now says nothing of what it was.
    made = changed("flag", FLAG, {**FLAG, "default_variant": "a"})
    assert title(made) == "ada updated flag new-ui"
    made = changed("flag", FLAG, {**FLAG, "default_variant": "a", "enabled": True})
    assert title(made) == "ada turned on flag new-ui"


def test_what_looks_the_same_in_another_field_is_no_change() -> None:
    changes = (Change("threshold.value", True), Change("segment.value", None, True))
    made = changed("rollout", SHARE, TARGET, changes=changes)
    assert lines(made) == []
    assert title(made) == "ada updated a rollout of flag new-ui for beta"


@pytest.mark.parametrize(
    ("kind", "was", "payload", "said", "facts"),
    [
        ("variant", VARIANT, {"id": "v1", "flag_key": "new-ui"}, "variant blue of flag new-ui", {"Name": "Blue"}),
        ("flag", FLAG, {"key": "new-ui"}, "flag new-ui", {"Name": "New UI", "Enabled": "no"}),
        ("constraint", CONSTRAINT, {"id": "c1", "segment_key": "beta"}, "constraint age of segment beta",
         {"Constraint": "age is not 0"}),
        ("rule", RULE, {"id": "r1", "flag_key": "new-ui"}, "a rule of flag new-ui for beta", {"Segments": "beta"}),
        ("rollout", SHARE, {"id": "o1", "flag_key": "new-ui"}, "a rollout of flag new-ui to 25.5 %", {"Value": "true"}),
        ("rollout", TARGET, {"id": "o1", "flag_key": "new-ui"}, "a rollout of flag new-ui for beta", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_large", [False, True])
def test_what_is_deleted_is_called_by_its_last_name(
    kind: str, was: dict[str, Any], payload: dict[str, Any], said: str, facts: dict[str, str], is_large: bool
) -> None:
    made = changed(kind, was, {}, **({"previous": None} if is_large else {}))
    gone = event(type=kind, action="deleted", payload=payload, metadata={"actor": {"name": "ada"}})
    summary = summarise(structs.replace(gone, known=made.known))
    assert summary.title == f"ada deleted {said}"
    assert facts.items() <= dict(summary.facts).items()
    assert summary.changes == ()


def test_of_a_large_attachment_that_was_kept_as_its_digest_the_size_is_a_fact() -> None:
    made = event(type="variant", action="deleted", payload={"id": "v1", "flag_key": "new-ui"})
    was = {**VARIANT, "attachment": digest("x" * 14_000)}
    facts = dict(summarise(structs.replace(made, known=Known(True, previous=was))).facts)
    assert facts["Attachment"] == "14 kB"


def test_a_deleted_rule_is_named_by_what_its_event_says() -> None:
    assert title(event(type="rule", action="deleted", payload=RULE)) == (
        "Someone deleted a rule of flag new-ui for beta"
    )


def test_a_fact_does_not_repeat_a_change() -> None:
    facts = dict(summarise(changed("flag", FLAG, {**FLAG, "enabled": True})).facts)
    assert "Enabled" not in facts
    assert facts["Name"] == "New UI"


@pytest.mark.parametrize(
    ("known_at", "said"),
    [
        ("2025-12-03T03:04:04Z", "as last seen on 2025-12-03"),
        ("2025-12-03T03:04:05Z", None),
        ("2026-01-02T03:04:05Z", None),
        (None, None),
        ("yesterday", None),
    ],
)
def test_what_was_seen_more_than_30_days_before_says_when(known_at: str | None, said: str | None) -> None:
    made = changed("flag", FLAG, {**FLAG, "enabled": True}, known_at=known_at)
    assert dict(summarise(made).facts).get("Before") == said
    timeless = structs.replace(made, timestamp="")
    assert "Before" not in dict(summarise(timeless).facts)
    unknown = structs.replace(made, known=structs.replace(made.known, is_known=False))
    assert "Before" not in dict(summarise(unknown).facts)


def test_a_name_cannot_leave_its_quotes() -> None:
    # A flag named `x” and turned off flag “payments` would read as if two things had been done.
    made = changed("flag", FLAG, {**FLAG, "name": "x” and turned off flag “payments"})
    assert title(made) == 'ada renamed flag new-ui to “x" and turned off flag "payments”'


def test_a_value_cannot_add_a_line() -> None:
    made = changed("flag", FLAG, {**FLAG, "name": "a\nEnabled: no → yes\u2028b"})
    assert lines(made) == ["Name: New UI → a Enabled: no → yes b"]


def test_a_line_is_never_longer_than_what_vendors_are_given() -> None:
    made = changed("flag", FLAG, {**FLAG, "k" * 100: "v" * 200, "😀" * 60: "a"})
    assert all(len(each.encode("utf-16-le")) // 2 <= LONGEST_LINE for each in lines(made))


def test_a_refused_change_changed_nothing() -> None:
    denied = event(status="denied", payload=None)
    summary = summarise(structs.replace(denied, known=Known(True, (Change("enabled", False, True),))))
    assert summary.title == "Someone tried to update a flag"
    assert summary.changes == ()
