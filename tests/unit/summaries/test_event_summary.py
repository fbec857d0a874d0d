import re
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec import structs

from flagcast.events.change_context import Known
from flagcast.events.event import Origin
from flagcast.events.replay import Replay
from flagcast.summaries.change_lines import LONGEST_LINE, MOST_LINES
from flagcast.summaries.event_summary import Summary, summarise
from flagcast.summaries.facts import LONGEST_FACT
from tests.presets.hostile import KNOWN, WIRES
from tests.presets.rendered import FLIPT, ORIGIN, every_event, sample
from tests.unit.builders import event

KINDS = {"created", "updated", "deleted", "denied", "other"}


def of(origin: Origin = ORIGIN, **wire: Any) -> Summary:
    return summarise(event(origin, **wire))


def facts(summary: Summary) -> dict[str, str]:
    return dict(summary.facts)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("flag-updated-by-person", 'Zoë "Z" O\'Brien updated flag new-checkout'),
        ("flag-deleted-denied", "Max tried to delete a flag"),
        ("variant-created", "Someone created variant a of flag new-checkout"),
        ("variant-deleted", "Someone deleted a variant of flag new-checkout"),
        ("segment-created", "Someone created segment beta-users"),
        ("constraint-created", "Someone created constraint plan of segment beta-users"),
        ("constraint-deleted", "Someone deleted a constraint of segment beta-users"),
        ("rule-created", "Someone created a rule of flag new-checkout for beta-users"),
        ("rule-updated-order", "Someone reordered rules of flag new-checkout"),
        ("rollout-updated-order", "Someone reordered rollouts of flag dark-mode"),
        ("distribution-created", "Someone created a distribution"),
        ("distribution-deleted", "Someone deleted a distribution of flag new-checkout"),
        ("namespace-updated", "Someone updated namespace production"),
        ("token-created", "Someone (by token) created token ci"),
    ],
)
def test_a_title_says_who_did_what_to_which(name: str, title: str) -> None:
    assert summarise(sample(name)).title == title


@pytest.mark.parametrize(("kind", "what"), [("experiment", "an experiment"), ("flag", "a flag")])
def test_what_has_no_name_is_one_of_its_kind(kind: str, what: str) -> None:
    assert of(type=kind, payload=None).what == what


@pytest.mark.parametrize(
    ("environment", "wire", "where"),
    [
        ("production", {"payload": {"namespace_key": "eu"}}, "environment production, namespace eu"),
        (None, {"payload": {"key": "a"}}, "namespace default"),
        ("production", {"payload": None}, "environment production"),
        ("production", {"type": "namespace", "payload": {"key": "eu"}}, "environment production"),
        (None, {"payload": None}, ""),
        ("\u202e", {"payload": {"namespace_key": "eu"}}, "namespace eu"),
    ],
)
def test_where_is_as_much_as_is_known(environment: str | None, wire: dict[str, Any], where: str) -> None:
    assert of(Origin(environment=environment), **wire).where == where


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "flag-updated-by-person",
            {"Enabled": "yes", "Name": "New checkout", "Description": "one page checkout, A/B"},
        ),
        ("flag-updated-by-person", {"E-mail": "zoe.o'brien@example.com", "Time": "2026-11-23 23:05:34 UTC"}),
        ("variant-created", {"Name": "Variant A", "Attachment": '{"color":"green","steps":[1,2,3]}'}),
        ("segment-updated", {"Matches": "any constraint", "Description": "people who work here"}),
        ("constraint-updated", {"Constraint": "age is at least 21", "Type": "number"}),
        ("rule-created", {"Segments": "beta-users", "Rank": "1"}),
        ("rollout-created", {"Share": "25.5 %", "Value": "true", "Description": "one in four"}),
        ("rollout-deleted", {"Segments": "beta-users or staff", "Value": "true"}),
        ("distribution-updated", {"Share": "33.33 %"}),
        ("namespace-created", {"Protected": "no", "Description": "live traffic"}),
        ("token-created", {"Description": "used by the pipeline"}),
        ("flag-updated-denied", {"Authorization": "refused by Flipt; nothing has changed"}),
    ],
)
def test_facts_are_what_is_worth_reading(name: str, said: dict[str, str]) -> None:
    assert said.items() <= facts(summarise(sample(name))).items()


@pytest.mark.parametrize(
    ("type_", "operator", "value", "said"),
    [
        ("NUMBER", "eq", "1", "age is 1"),
        ("NUMBER", "neq", "0", "age is not 0"),
        ("NUMBER", "lt", "1", "age is less than 1"),
        ("NUMBER", "lte", "1", "age is at most 1"),
        ("NUMBER", "gt", "1", "age is more than 1"),
        ("NUMBER", "gte", "1", "age is at least 1"),
        ("NUMBER", "isnotoneof", "[1, 2.5]", "age is not one of 1, 2.5"),
        ("STRING", "isoneof", '["DE","FR"]', "age is one of DE, FR"),
        ("STRING", "isoneof", "DE", "age is one of DE"),
        ("STRING", "isoneof", '{"a": 1}', 'age is one of {"a": 1}'),
        ("STRING", "isoneof", "[" * 100_000, "age is one of [[["),
        ("STRING", "empty", "x", "age is empty"),
        ("STRING", "notempty", "", "age is not empty"),
        ("STRING", "prefix", "a", "age begins with a"),
        ("STRING", "suffix", "a", "age ends with a"),
        ("STRING", "contains", "a", "age contains a"),
        ("STRING", "notcontains", "a", "age does not contain a"),
        ("BOOLEAN", "true", "", "age is true"),
        ("BOOLEAN", "false", "", "age is false"),
        ("BOOLEAN", "present", "", "age is present"),
        ("BOOLEAN", "notpresent", "", "age is not present"),
        ("DATETIME", "lt", "2026-01-01", "age is before 2026-01-01"),
        ("DATETIME", "lte", "2026-01-01", "age is at or before 2026-01-01"),
        ("DATETIME", "gt", "2026-01-01", "age is after 2026-01-01"),
        ("DATETIME", "gte", "2026-01-01", "age is at or after 2026-01-01"),
        ("DATETIME", "eq", "2026-01-01", "age is 2026-01-01"),
        ("STRING", "fuzzy", "a", "age fuzzy a"),
    ],
)  # fmt: skip
def test_a_constraint_is_said_in_words(type_: str, operator: str, value: str, said: str) -> None:
    # "age neq 0" and "country isoneof ["DE","FR"]" are how Flipt stores it.
    payload = {"property": "age", "type": f"{type_}_COMPARISON_TYPE", "operator": operator, "value": value}
    assert facts(of(type="constraint", payload=payload))["Constraint"].startswith(said)


def test_an_environment_and_a_namespace_of_one_name_are_told_apart() -> None:
    # It said "production / production".
    assert summarise(sample("flag-updated")).where == "environment production, namespace production"


def test_the_order_of_rules_is_a_fact() -> None:
    assert facts(of(type="rule", payload={"flag_key": "a", "rule_ids": ["x", "y"]}))["Order"] == "x, y"


def test_ids_that_are_no_list_are_no_order() -> None:
    summary = of(type="rule", payload={"flag_key": "a", "rule_ids": "x", "rollout_ids": ["y"]})
    assert "Order" not in facts(summary)


@pytest.mark.parametrize(
    ("operator", "said"), [("AND_SEGMENT_OPERATOR", "a and b"), ("OR_SEGMENT_OPERATOR", "a or b"), (None, "a, b")]
)
def test_several_segments_are_said_with_what_joins_them(operator: str | None, said: str) -> None:
    payload = {"flag_key": "f", "segment_key": "a,b", "segment_operator": operator}
    assert facts(of(type="rule", payload=payload))["Segments"] == said


def test_what_repeats_the_name_is_no_fact() -> None:
    assert "Name" not in facts(of(payload={"key": "new-ui", "name": "new-ui"}))
    assert "E-mail" not in facts(of(payload={}, metadata={"actor": {"email": "ada@example.com"}}))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("flag-updated", "namespaces/production/flags/new-checkout"),
        ("variant-created", "namespaces/production/flags/new-checkout/variants/a"),
        ("segment-created", "namespaces/production/segments/beta-users"),
        ("rollout-deleted", "namespaces/production/flags/dark-mode/rollouts/d471a60b-f823-4b9b-aaa6-097b24f5ed47"),
        ("rule-updated-order", "namespaces/production/flags/new-checkout/rules"),
        ("distribution-created", "distributions/c20760e3-d639-4ccb-9934-75931ec46dc8"),
        ("namespace-created", "namespaces/production"),
        ("token-created", "tokens/ci"),
        ("flag-deleted-denied", "flag"),
    ],
)  # fmt: skip
def test_a_path_names_the_thing(name: str, path: str) -> None:
    assert summarise(sample(name)).path == path


def test_a_key_cannot_add_to_the_path() -> None:
    assert of(type="token", payload={"io.flipt.auth.token.name": "a/../b"}).path == "tokens/a%2F..%2Fb"


@pytest.mark.parametrize(
    ("timestamp", "received_at", "time", "epoch_ms"),
    [
        ("2026-01-02T03:04:05+02:00", "", "2026-01-02T01:04:05Z", 1_767_315_845_000),
        ("2026-01-02T03:04:05Z", "2027-01-01T00:00:00Z", "2026-01-02T03:04:05Z", 1_767_323_045_000),
        ("", "2026-01-02T03:04:06.789Z", "2026-01-02T03:04:06Z", 1_767_323_046_789),
        ("yesterday", "", None, None),
        ("2026-01-02T03:04:05", "", None, None),
        ("0001-01-01T00:00:00+23:59", "", None, None),
        ("9999-12-31T23:59:59-23:59", "", None, None),
    ],
)  # fmt: skip
def test_the_time_is_flipts_else_ours(timestamp: str, received_at: str, time: str | None, epoch_ms: int | None) -> None:
    summary = of(Origin(received_at=received_at), timestamp=timestamp)
    assert (summary.time, summary.epoch_ms) == (time, epoch_ms)


def test_a_year_before_1000_has_four_digits() -> None:
    # strftime's %Y writes as few digits as there are; RFC 3339 wants four.
    assert of(timestamp="0099-01-02T03:04:05Z").time == "0099-01-02T03:04:05Z"


def test_an_address_that_no_header_takes_is_left_out() -> None:
    assert of(payload={"key": "a" * 1_900}).url == f"{FLIPT}/#/namespaces/default/flags/{'a' * 1_900}"
    assert of(payload={"key": "a" * 2_000}).url is None


def test_long_values_are_shortened() -> None:
    summary = of(payload={"key": "k" * 500, "description": "d" * 1_000_000})
    assert len(summary.title) < 150
    assert facts(summary)["Description"] == "d" * (LONGEST_FACT - 1) + "…"


def test_whatever_flipt_sends_has_a_summary() -> None:
    for each in every_event():
        check(summarise(each))


@settings(deadline=None)
@given(wire=WIRES, known=KNOWN)
def test_whatever_could_be_sent_and_known_has_a_summary(wire: dict[str, Any], known: Known) -> None:
    check(summarise(structs.replace(event(ORIGIN, **wire), known=known)))


def check(summary: Summary) -> None:
    """Hold a summary against what is promised of every one."""
    assert summary.kind in KINDS
    assert summary.path
    assert len({label for label, _ in summary.facts}) == len(summary.facts)
    assert all(value.strip() for _, value in summary.facts)
    assert len(summary.facts) <= 10
    assert len(summary.changes) <= MOST_LINES
    assert all(len(each) <= LONGEST_LINE for each in summary.changes)
    for text in (summary.title, summary.what, summary.where, *(value for _, value in summary.facts), *summary.changes):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]", text)
    if summary.time is not None:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", summary.time)
        assert summary.epoch_ms is not None
        assert abs(datetime.fromisoformat(summary.time).timestamp() * 1000 - summary.epoch_ms) <= 1_000


def test_a_replay_begins_with_what_tells_it_from_news_and_says_when_it_was() -> None:
    replay = Replay("rpl_1", "2026-12-24T06:00:00.000Z")
    live, again = of(payload={"key": "k"}), of(structs.replace(ORIGIN, replay=replay), payload={"key": "k"})
    assert again.title == f"Replayed: {live.title}"
    assert facts(again) == {**facts(live), "Replayed": "2026-12-24 06:00:00 UTC"}
    assert again.time == live.time
