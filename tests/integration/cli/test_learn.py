"""`flagcast learn` over a table of moto's and a Flipt on loopback: which rows it writes."""

import json

import pytest
from msgspec import structs

from flagcast.flipt_state.row import Row
from flagcast.flipt_state.thing_keys import Thing, row_key
from flagcast_cli.flipt_state import stored_rows
from tests.integration.cli.known_harness import (
    DISTRIBUTION,
    FLAG,
    FULL,
    RULES,
    THINGS,
    CapSys,
    KnownStack,
    in_flipt,
    known,
    row,
    wide,
)
from tests.support.captures import states

__all__ = ["known", "wide"]


def test_learn_writes_a_row_for_everything_that_flipt_has(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    assert len(known.rows()) == THINGS
    now = int(known.clock.now())
    assert row(known, FLAG) == Row(
        state={
            "default_variant": "a",
            "description": "two pages",
            "enabled": True,
            "key": "new-checkout",
            "name": "New checkout 2",
            "namespace_key": "production",
        },
        state_at=now,
        at=now + 1,
        namespace="production",
        flag_key="new-checkout",
    )
    assert capsys.readouterr().out == f"✓ {THINGS} things in Flipt\n     {THINGS} new here\n"


def test_what_learn_writes_expires_like_what_an_event_writes(known: KnownStack) -> None:
    assert known.run("learn") == 0
    item = known.dynamodb.get_item(TableName="state", Key={"key": {"S": FLAG}})["Item"]
    assert (item["version"], item["expires"]) == ({"N": "1"}, {"N": str(int(known.clock.now()) + 400 * 86_400)})


def test_a_distribution_belongs_to_its_rules_flag_and_is_ordered_with_it(known: KnownStack) -> None:
    assert known.run("learn") == 0
    learned = row(known, DISTRIBUTION)
    assert (learned.namespace, learned.flag_key) == ("production", "new-checkout")
    assert learned.subject == ("flag", "production", "new-checkout")


def test_a_distribution_that_was_ordered_with_its_rule_stays_so_and_gets_its_flag(known: KnownStack) -> None:
    rule, variant = "2976c1f3-1a00-4720-9031-359efc60c6ba", "f1c13d3d-c672-4598-aac3-573c68af0b3d"
    state = {"id": DISTRIBUTION.rpartition("#")[2], "rollout": 33.33, "rule_id": rule, "variant_id": variant}
    before = Row(state=state, at=5, subject=("rule", "2976c1f3"))
    known.put(DISTRIBUTION, before)
    assert known.run("learn") == 0
    assert row(known, DISTRIBUTION) == structs.replace(before, namespace="production", flag_key="new-checkout")


def test_a_dry_run_says_what_would_be_written_and_writes_nothing(known: KnownStack, capsys: CapSys) -> None:
    known.put(FLAG, Row(state={"enabled": False}, namespace="production", flag_key="new-checkout", at=5))
    assert known.run("learn", "--dry-run") == 0
    assert row(known, FLAG).state == {"enabled": False}
    assert len(known.rows()) == 1
    assert capsys.readouterr().out == (
        f"✓ {THINGS} things in Flipt\n     {THINGS - 1} new here\n      1 known with another value, or without one\n"
        "Nothing was changed: this was a dry run.\n"
    )


def test_learning_again_writes_nothing(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    before = known.dynamodb.scan(TableName="state")["Items"]
    capsys.readouterr()
    assert known.run("learn") == 0
    assert known.dynamodb.scan(TableName="state")["Items"] == before
    assert capsys.readouterr().out == f"✓ {THINGS} things in Flipt\n     {THINGS} known already\n"


def test_what_is_learned_every_month_does_not_expire(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    before = known.rows()
    known.pass_time(31 * 86_400)
    assert known.run("learn") == 0
    assert f"{THINGS} known already, and kept for another 400 days" in capsys.readouterr().out
    assert known.rows() == before
    item = known.dynamodb.get_item(TableName="state", Key={"key": {"S": FLAG}})["Item"]
    assert int(item["expires"]["N"]) == int(known.clock.now()) + 400 * 86_400


def test_what_an_event_has_written_since_flipt_was_asked_stays(known: KnownStack, capsys: CapSys) -> None:
    newer = Row(state={"enabled": False}, at=int(known.clock.now()), namespace="production", flag_key="new-checkout")
    known.put(FLAG, newer)
    assert known.run("learn") == 0
    assert row(known, FLAG) == newer
    assert "1 not changed: an event that is newer than Flipt's answer has written them" in capsys.readouterr().out


def test_an_event_between_the_question_and_the_answer_may_be_newer_than_what_was_read(known: KnownStack) -> None:
    # Flipt writes the Date after it has read: an event in between was overwritten by an older state.
    began, known.flipt.ticks = int(known.clock.now()), 1
    asked, answered = began + 4, began + 5
    told = Row(state={"enabled": False}, namespace="production", flag_key="new-checkout")
    for at, stays in ((asked - 1, False), (asked, True), (answered, True)):
        known.flipt.now = began
        known.put(FLAG, structs.replace(told, at=at))
        assert known.run("learn") == 0
        assert (row(known, FLAG).state == told.state) == stays, at
        if not stays:
            assert (row(known, FLAG).state_at, row(known, FLAG).at) == (answered, answered + 1)


@pytest.mark.parametrize("was_known", [False, True])
def test_an_event_that_writes_between_reading_and_writing_a_row_wins(
    known: KnownStack, monkeypatch: pytest.MonkeyPatch, was_known: bool
) -> None:
    if was_known:
        known.put(FLAG, Row(state={"enabled": False}, at=5))
    newer = Row(state={"enabled": False}, at=int(known.clock.now()) + 1, namespace="production")
    write = stored_rows.Table.write

    def late(self: stored_rows.Table, key: str, row: Row, version: int) -> bool:
        if key == FLAG and known.rows().get(FLAG) != newer:
            known.put(FLAG, newer, 8)
        return write(self, key, row, version)

    monkeypatch.setattr(stored_rows.Table, "write", late)
    assert known.run("learn") == 0
    assert row(known, FLAG) == newer


def test_a_row_that_others_write_all_the_time_is_given_up_and_said(
    known: KnownStack, monkeypatch: pytest.MonkeyPatch, capsys: CapSys
) -> None:
    write = stored_rows.Table.write
    monkeypatch.setattr(
        stored_rows.Table, "write", lambda self, key, row, version: key != FLAG and write(self, key, row, version)
    )
    assert known.run("learn") == 1
    assert "1 not written: events kept arriving" in capsys.readouterr().out


def test_a_row_that_cannot_be_read_is_learned_again(known: KnownStack, capsys: CapSys) -> None:
    item = {"key": {"S": FLAG}, "document": {"S": "{"}, "version": {"N": "3"}, "expires": {"N": "1"}}
    known.dynamodb.put_item(TableName="state", Item=item)
    assert known.run("learn") == 0
    assert row(known, FLAG).state is not None


def test_flipts_word_of_an_older_version_says_no_more_than_its_events(known: KnownStack) -> None:
    # An event of that version would otherwise seem to take away what it never says.
    within = in_flipt(known)
    within["rules"]["new-checkout"][0] |= {"segmentKey": "", "segmentKeys": ["beta-users", "staff"]}
    rule = row_key("flipt", Thing("rule", (within["rules"]["new-checkout"][0]["id"],)))
    known.flipt.version = "v1.49.2"
    assert known.run("learn") == 0
    old = row(known, rule).state or {}
    assert "default_variant" not in (row(known, FLAG).state or {})
    assert (old["segment_key"], "segment_operator" in old) == ("", False)
    known.flipt.version = "v1.61.0"
    known.pass_time(60)
    assert known.run("learn") == 0
    new = row(known, rule).state or {}
    assert (new["segment_key"], new["segment_operator"]) == ("beta-users,staff", "OR_SEGMENT_OPERATOR")
    assert (row(known, FLAG).state or {})["default_variant"] == "a"


def test_rules_of_one_rank_have_no_order(known: KnownStack) -> None:
    for rule in in_flipt(known)["rules"]["new-checkout"]:
        rule["rank"] = 1
    assert known.run("learn") == 0
    assert RULES not in known.rows()


def test_an_attachment_is_known_as_its_event_writes_it(known: KnownStack) -> None:
    text = '{ "a" : "b  c\\u00e9", "n": 1.50e1,\n "l": [ ] }'
    variant = in_flipt(known)["flags"][0]["variants"][0] | {"attachment": text}
    known.flipt.state["by_namespace"]["production"]["flags"][0]["variants"][0] = variant
    assert known.run("learn") == 0
    state = row(known, row_key("flipt", Thing("variant", (variant["id"],)))).state or {}
    assert state["attachment"] == '{"a":"b  c\\u00e9","n":1.50e1,"l":[]}'


def test_the_state_with_most_in_it_has_what_these_tests_say() -> None:
    assert len(json.dumps(states()[FULL].state)) > 4_000
