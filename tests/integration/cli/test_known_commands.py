"""`flagcast learn`, `verify` and `forget` over a table of moto's and a Flipt on loopback."""

import copy
import json
from typing import Any

import pytest
from msgspec import structs

from flagcast.flipt_state.row import Accepted, Row
from flagcast.flipt_state.stored_state import digest
from flagcast.flipt_state.thing_keys import WITHOUT_ID, Thing, row_key
from flagcast_cli.console import CommandError, err, out
from flagcast_cli.flipt_state import flipt_client, stored_rows
from tests.integration.cli.known_harness import FULL, KnownStack, known
from tests.support.captures import states
from tests.support.flipt_server import Scripted

__all__ = ["known"]
CapSys = pytest.CaptureFixture[str]

FLAG = row_key("flipt", Thing("flag", ("production", "new-checkout")))
OTHER_FLAG = row_key("flipt", Thing("flag", ("production", "dark-mode")))
SEGMENT = row_key("flipt", Thing("segment", ("production", "beta-users")))
RULES = row_key("flipt", Thing("rule-order", ("production", "new-checkout")))
DISTRIBUTION = row_key("flipt", Thing("distribution", ("f0843245-33e2-47bf-99e8-6746ba4757e6",)))
THINGS = 17
"""In the state FULL."""


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    for console in (out, err):
        monkeypatch.setattr(console, "_width", 250)


def in_flipt(known: KnownStack) -> dict[str, Any]:
    """Return what Flipt has in production, to be changed."""
    known.flipt.state = copy.deepcopy(known.flipt.state)
    within: dict[str, Any] = known.flipt.state["by_namespace"]["production"]
    return within


def differing(known: KnownStack, capsys: CapSys, *words: str, code: int = 1) -> list[tuple[str, str, str]]:
    """Return what verify finds at once, as difference, type and name."""
    capsys.readouterr()
    assert known.run("verify", "--json", "--wait", "0", *words) == code
    told = json.loads(capsys.readouterr().out)
    return [(each["difference"], each["type"], each["name"]) for each in told["differences"]]


def variant_key(variant: dict[str, Any]) -> str:
    return row_key("flipt", Thing("variant", (variant["id"],)))


def row(known: KnownStack, key: str) -> Row:
    found = known.rows()[key]
    assert found is not None
    return found


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


@pytest.mark.parametrize("junk", [{"expires": {"S": "never"}, "version": {"N": "1"}}, {"version": {"S": "seven"}}])
def test_a_row_that_is_not_flagcasts_is_no_reason_to_stop_and_is_forgotten(
    known: KnownStack, junk: dict[str, Any]
) -> None:
    # Bug: an expiry that is no number ended every command with a traceback, forget included.
    known.dynamodb.put_item(TableName="state", Item={"key": {"S": FLAG}, **junk})
    assert known.run("verify", "--wait", "0") == 1
    assert known.run("learn") in {0, 1}
    assert known.run("forget", "--yes") == 0
    assert known.rows() == {}


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


def test_pages_are_read_to_the_last(known: KnownStack) -> None:
    known.flipt.page = 1
    assert known.run("learn") == 0
    assert len(known.rows()) == THINGS


def test_a_list_that_shrinks_between_two_pages_is_read_again(known: KnownStack) -> None:
    whole = known.flipt.state
    shrunk = copy.deepcopy(whole)
    shrunk["by_namespace"]["production"]["segments"].pop(0)
    known.flipt.page = 1
    # The namespaces are the first list of two pages, the segments the second.
    known.flipt.between_pages = [whole, shrunk]
    assert known.run("learn") == 0
    assert SEGMENT not in known.rows()
    assert len([each for each in known.rows() if "#segment#" in each]) == 1


def test_a_list_that_changes_each_time_is_given_up(known: KnownStack) -> None:
    two, three = known.flipt.state, copy.deepcopy(known.flipt.state)
    segments = three["by_namespace"]["production"]["segments"]
    segments.append({**segments[0], "key": "more"})
    known.flipt.page = 1
    known.flipt.between_pages = [two, three] * 20
    with pytest.raises(CommandError, match="changes while it is read"):
        known.run("learn")


def test_the_token_is_sent_from_the_variable_that_is_named(known: KnownStack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known.run("learn") == 0
    monkeypatch.setenv("FLIPT_TOKEN", "canary-1")
    monkeypatch.setenv("OTHER_TOKEN", "canary-2")
    assert known.run("learn") == 0
    assert known.run("verify", "--token-env", "OTHER_TOKEN") == 0
    assert known.flipt.tokens == {None, "Bearer canary-1", "Bearer canary-2"}
    with pytest.raises(CommandError, match="NO_TOKEN is not set"):
        known.run("verify", "--token-env", "NO_TOKEN")


@pytest.mark.parametrize("answer", [
    Scripted(429, headers={"Retry-After": "7"}), Scripted(503), Scripted(502, b"<html>"), Scripted(200, closes=True),
])  # fmt: skip
def test_a_flipt_that_is_busy_is_asked_again(known: KnownStack, answer: Scripted) -> None:
    known.flipt.scripted["/api/v1/namespaces"] = [answer, answer]
    began = known.clock.now()
    assert known.run("learn") == 0
    assert known.clock.now() - began == (14 if answer.status == 429 else 3)


NAMESPACES = "/api/v1/namespaces"


@pytest.mark.parametrize(
    ("path", "answers", "said", "step"),
    [
        (NAMESPACES, [Scripted(401)], "answers 401", "Set FLIPT_TOKEN to a Flipt token"),
        (NAMESPACES, [Scripted(403)], "answers 403", "may read every namespace"),
        (NAMESPACES, [Scripted(404)], "answers 404", "Give the address of Flipt's UI"),
        (NAMESPACES, [Scripted(302, headers={"Location": "/login"})], "it redirects", "Give the address"),
        (NAMESPACES, [Scripted(500)], "answers 500", "Flipt's log says why"),
        (NAMESPACES, [Scripted(200, b"<!doctype html>")], "with HTML", "Give the address"),
        (NAMESPACES, [Scripted(200, b"x", {"Content-Type": "text/html; charset=utf-8"})], "HTML", "Give the address"),
        (NAMESPACES, [Scripted(200, b'{"namespaces": [{"name": "x"}]}')], "missing required field `key`", "Give the"),
        (NAMESPACES, [Scripted(429)] * 5, "answers 429, 5 times", "less busy"),
        (NAMESPACES, [Scripted(200, closes=True)] * 5, "cannot be reached: ConnectionError", "curl -i "),
        (NAMESPACES, [Scripted(429, headers={"Retry-After": "3600"})], "wait 3600 s", "after that"),
        (f"{NAMESPACES}/production/flags/new-checkout/rules", [Scripted(404)], "answers 404", "deleted while Flipt"),
    ],
)  # fmt: skip
def test_a_flipt_that_cannot_be_read_is_an_error_that_says_what_to_do(
    known: KnownStack, path: str, answers: list[Scripted], said: str, step: str
) -> None:
    known.flipt.scripted[path] = answers
    for command in (["learn"], ["verify"]):
        known.flipt.scripted[path] = list(answers)
        with pytest.raises(CommandError) as raised:
            known.run(*command)
        assert said in str(raised.value)
        assert step in "\n".join(raised.value.next_steps)
    assert known.rows() == {}


def test_an_address_that_is_none_is_not_repeated(known: KnownStack) -> None:
    known.flipt.url = "https://user:canary@flipt.example.com"
    with pytest.raises(CommandError) as raised:
        known.run("learn")
    assert "canary" not in f"{raised.value} {raised.value.next_steps}"


def test_a_host_that_is_no_name_cannot_be_reached(known: KnownStack) -> None:
    known.flipt.url = "http://flipt..example.com"
    with pytest.raises(CommandError, match="cannot be reached"):
        known.run("learn")


def test_an_answer_without_its_date_is_not_used(known: KnownStack) -> None:
    known.flipt.date = None
    with pytest.raises(CommandError, match="without a Date header"):
        known.run("learn")


def test_a_clock_that_is_far_ahead_is_an_error(known: KnownStack) -> None:
    known.flipt.now += flipt_client.FURTHEST_AHEAD + 60
    with pytest.raises(CommandError, match="clock is 360 s ahead"):
        known.run("learn")


def test_a_version_that_may_not_be_asked_for_is_taken_for_the_newest(known: KnownStack) -> None:
    known.flipt.scripted["/meta/info"] = [Scripted(401), Scripted(200, b"<html>")]
    for _ in range(2):
        assert known.run("learn") == 0
    assert (row(known, FLAG).state or {})["default_variant"] == "a"


def test_a_source_that_the_configuration_has_not_is_an_error(known: KnownStack) -> None:
    for command in ("learn", "verify"):
        with pytest.raises(CommandError) as raised:
            known.run(command, source="flpit")
        assert raised.value.next_steps == ("It has flipt, other.",)
    known.config.write_text("sources: {")
    with pytest.raises(CommandError):
        known.run("learn")


@pytest.mark.parametrize("command", [["learn"], ["verify"], ["forget", "--yes"]])
def test_a_stack_that_is_not_there_or_not_flagcasts_is_an_error(known: KnownStack, command: list[str]) -> None:
    with pytest.raises(CommandError, match="there is no stack other"):
        known.run(*command, "--stack", "other")
    known.outputs = {}
    with pytest.raises(CommandError, match="has no output StateTableName"):
        known.run(*command)


def test_a_stack_whose_events_are_not_tracked_is_an_error_but_can_be_forgotten(known: KnownStack) -> None:
    assert known.run("learn") == 0
    known.parameters["TrackChanges"] = "off"
    for command in ("learn", "verify"):
        with pytest.raises(CommandError, match="TrackChanges=off"):
            known.run(command)
    assert known.run("forget", "--yes") == 0
    assert known.rows() == {}


def test_verify_finds_nothing_after_learning(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    capsys.readouterr()
    assert known.run("verify") == 0
    shown = capsys.readouterr()
    assert shown.out == f"✓ {THINGS} things compared: nothing differs\n"
    assert shown.err == ""
    assert differing(known, capsys, code=0) == []


def test_verify_lists_what_changed_what_was_never_seen_and_what_is_gone(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    within = in_flipt(known)
    within["flags"][0] |= {"enabled": False, "name": "Renamed"}
    within["segments"].append({**within["segments"][0], "key": "new", "name": "New", "constraints": []})
    (gone,) = within["segments"][0].pop("constraints")
    within["rules"]["new-checkout"].reverse()
    for rank, rule in enumerate(within["rules"]["new-checkout"], 1):
        rule["rank"] = rank
    key = row_key("flipt", Thing("variant", (within["flags"][0]["variants"][1]["id"],)))
    known.put(key, Row(namespace="production", flag_key="new-checkout"))
    assert differing(known, capsys) == [
        ("gone", "constraint", "plan"),
        ("missing", "segment", "new"),
        ("changed", "flag", "new-checkout"),
        ("changed", "rule-order", "order of rules"),
        ("unknown", "variant", "b"),
    ]
    assert gone["property"] == "plan"
    assert known.run("verify", "--wait", "0") == 1
    lines = [" ".join(line.replace("│", " ").split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "2 changed in Flipt, 1 never seen here, 1 gone from Flipt, 1 unknown here"
    assert "changed in Flipt flag new-checkout production enabled true false" in lines
    assert "name New checkout 2 Renamed" in lines
    assert "gone from Flipt constraint plan production/beta-users" in lines
    assert "never seen here segment new production" in lines
    assert "unknown here variant b production/new-checkout" in lines
    assert lines[-1].startswith("To accept what Flipt has: flagcast learn")


def test_as_json_each_difference_says_where_it_is_and_both_values(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    in_flipt(known)["flags"][0]["variants"][0]["attachment"] = json.dumps({"long": "x" * 300})
    capsys.readouterr()
    assert known.run("verify", "--wait", "0", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "differences": [
            {
                "difference": "changed",
                "type": "variant",
                "name": "a",
                "id": "f1c13d3d-c672-4598-aac3-573c68af0b3d",
                "namespace": "production",
                "flag": "new-checkout",
                "segment": None,
                "changes": [{"field": "attachment", "known": "40 bytes", "flipt": "311 bytes"}],
            }
        ],
        "compared": THINGS,
        "not_compared": {"newer_than_the_answer": 0, "order_never_seen": 0},
    }


def test_what_learning_takes_over_differs_no_more(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    within = in_flipt(known)
    within["flags"][0]["enabled"] = False
    within["flags"].pop()
    assert ("gone", "flag", "dark-mode") in differing(known, capsys)
    assert known.run("learn") == 0
    assert "1 gone from Flipt, and marked as deleted" in capsys.readouterr().out
    assert row(known, OTHER_FLAG).is_deleted
    known.pass_time(60)
    assert differing(known, capsys, code=0) == []
    item = known.dynamodb.get_item(TableName="state", Key={"key": {"S": OTHER_FLAG}})["Item"]
    assert int(item["expires"]["N"]) < known.clock.now() + 31 * 86_400


def test_what_was_deleted_here_and_is_in_flipt_was_never_seen(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    known.put(FLAG, structs.replace(row(known, FLAG), is_deleted=True))
    assert differing(known, capsys) == [("missing", "flag", "new-checkout")]


def test_what_belonged_to_a_deleted_flag_or_namespace_is_no_difference(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    in_flipt(known)["flags"].pop(0)
    assert differing(known, capsys) == [("gone", "flag", "new-checkout")]
    known.flipt.state = states()[0].state
    assert differing(known, capsys) == [("gone", "namespace", "production")]


def test_what_belonged_to_a_flag_that_was_created_again_is_no_difference(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    within = in_flipt(known)
    within["flags"][0] |= {"variants": [], "defaultVariant": None, "createdAt": "2100-01-01T00:00:00.5Z"}
    within["rules"]["new-checkout"] = []
    # All of it went with the old flag; its default variant too.
    assert differing(known, capsys, code=0) == []


def test_a_default_variant_that_was_renamed_or_deleted_is_the_variants_change(
    known: KnownStack, capsys: CapSys
) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    flag = in_flipt(known)["flags"][0]
    flag["variants"][0]["key"] = flag["defaultVariant"]["key"] = "a2"
    assert differing(known, capsys) == [("changed", "variant", "a2")]
    flag["defaultVariant"] = flag["variants"][1]
    flag["variants"][0]["key"] = "a"
    assert differing(known, capsys) == [("changed", "flag", "new-checkout")]


@pytest.mark.parametrize("before", [{}, {"key": "b"}], ids=["created", "renamed"])
def test_a_default_variant_whose_key_is_anothers_now_is_no_change_of_the_flag(
    known: KnownStack, capsys: CapSys, before: dict[str, Any]
) -> None:
    # Bug: the default variant was deleted, another one got its key, and verify missed an event of the flag.
    assert known.run("learn") == 0
    known.pass_time(60)
    flag = in_flipt(known)["flags"][0]
    first, second = flag["variants"]
    flag["variants"], flag["defaultVariant"] = [second], None
    second["key"] = first["key"]
    seen = int(known.clock.now())
    deleted, gone = row(known, variant_key(first)), {"is_deleted": True, "at": seen}
    known.put(variant_key(first), structs.replace(deleted, **gone))
    there = structs.replace(row(known, variant_key(second)), before=before, at=seen)
    assert there.state is not None
    known.put(variant_key(second), structs.replace(there, state={**there.state, "key": first["key"]}))
    known.pass_time(60)
    assert differing(known, capsys, code=0) == []


def test_a_default_variant_that_only_got_another_name_does_not_hide_a_lost_change_of_the_flag(
    known: KnownStack, capsys: CapSys
) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    flag = in_flipt(known)["flags"][0]
    key = variant_key(flag["defaultVariant"])
    there = row(known, key)
    known.put(key, structs.replace(there, before=there.state, at=int(known.clock.now())))
    known.pass_time(60)
    flag["defaultVariant"] = None
    assert differing(known, capsys) == [("changed", "flag", "new-checkout")]


def test_tokens_orders_never_seen_and_rollouts_that_are_sent_without_an_id_are_not_compared(
    known: KnownStack, capsys: CapSys
) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    for key in [each for each in known.rows() if "#rollout#" in each or each == RULES]:
        known.dynamodb.delete_item(TableName="state", Key={"key": {"S": key}})
    assert differing(known, capsys) == [("missing", "rollout", "50 %"), ("missing", "rollout", "beta-users, staff")]
    without_id = row_key("flipt", Thing(WITHOUT_ID, ("production", "dark-mode")))
    known.put(without_id, Row(state={"description": "x"}, namespace="production", flag_key="dark-mode"))
    known.put(row_key("flipt", Thing("token", ("", "ci"))), Row(state={"io.flipt.auth.token.name": "ci"}))
    assert differing(known, capsys, code=0) == []
    assert known.run("verify") == 0
    assert "1 order of rules or rollouts not compared: never seen" in capsys.readouterr().err


def test_what_an_event_changed_while_flipt_was_read_is_not_compared(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    newer = Accepted(int(known.clock.now()), int(known.clock.now() * 1000), "x", 0)
    known.put(FLAG, structs.replace(row(known, FLAG), state={"enabled": False}, recent=(newer,)))
    in_flipt(known)["segments"].pop(0)
    known.put(SEGMENT, structs.replace(row(known, SEGMENT), recent=(newer,)))
    assert differing(known, capsys, code=0) == []
    assert known.run("verify") == 0
    assert "1 thing not compared: changed while Flipt was read" in capsys.readouterr().err


def test_what_differs_is_looked_at_again_after_the_wait_and_an_event_that_came_meanwhile_ends_it(
    known: KnownStack, capsys: CapSys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known.run("learn") == 0
    known.pass_time(60)
    before = row(known, FLAG)
    within = in_flipt(known)
    within["flags"][0]["enabled"] = False
    within["segments"][0]["name"] = "Never told"
    pass_time = known.pass_time

    def event_comes(seconds: float) -> None:
        pass_time(seconds)
        state = {**(before.state or {}), "enabled": False}
        known.put(FLAG, structs.replace(before, state=state, at=int(known.clock.now()) - 200))
        # Another change, of which the event is under way now.
        within["segments"][1]["name"] = "Just now"

    monkeypatch.setattr("flagcast_cli.flipt_state.command.time.sleep", event_comes)
    began = known.clock.now()
    assert known.run("verify", "--json") == 1
    assert known.clock.now() - began == 360
    shown = capsys.readouterr()
    (left,) = json.loads(shown.out.partition("things in Flipt")[2].partition("new here\n")[2])["differences"]
    assert left["name"] == "beta-users"
    assert "2 differences. Flipt may still hold back their events: comparing again in 6m." in shown.err
    assert known.run("verify", "--wait", "10s") == 1


def test_a_wait_that_is_no_duration_is_an_error(known: KnownStack) -> None:
    with pytest.raises(CommandError, match="--wait: expected a duration"):
        known.run("verify", "--wait", "soon")


def test_one_sources_rows_are_not_anothers(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn", source="other") == 0
    assert known.rows() == {}
    assert len(differing(known, capsys)) == THINGS - 2  # Orders that were never seen are no difference.
    assert known.run("forget", "--yes") == 0
    assert len(known.rows("other")) == THINGS


def test_forget_deletes_a_sources_rows_and_says_what_it_cannot_reach(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    capsys.readouterr()
    assert known.run("forget", "--yes") == 0
    assert known.rows() == {}
    said = capsys.readouterr().out
    assert said.startswith(
        f"✓ {THINGS} rows deleted\nNot deleted: the functions' logs, dead letters, waiting deliveries"
    )
    assert known.run("forget", "--yes") == 0
    assert capsys.readouterr().out.startswith("The stack flagcast remembers nothing of source flipt.\n")


def test_forget_of_a_namespace_leaves_the_others_and_says_what_has_none(known: KnownStack, capsys: CapSys) -> None:
    assert known.run("learn") == 0
    token = row_key("flipt", Thing("token", ("", "ci")))
    known.put(token, Row(state={"io.flipt.auth.token.name": "ci"}))
    assert known.run("forget", "--namespace", "production", "--yes") == 0
    assert set(known.rows()) == {token, row_key("flipt", Thing("namespace", ("default",)))}
    assert "1 row without a known namespace stayed" in capsys.readouterr().out


def test_forget_asks_first_and_says_how_many(
    known: KnownStack, capsys: CapSys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known.run("learn") == 0
    with pytest.raises(CommandError, match="no terminal"):
        known.run("forget")
    capsys.readouterr()
    assert known.run("forget", "--dry-run") == 0
    said = capsys.readouterr().out
    assert said == f"{THINGS} known rows of source flipt. Nothing was changed: this was a dry run.\n"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[str] = []

    def no(question: str, **_: object) -> str:
        asked.append(question)
        return "n"

    monkeypatch.setattr(out, "input", no)
    assert known.run("forget", "--namespace", "production") == 1
    assert asked == [f"Delete {THINGS - 1} known rows of source flipt, namespace production for good? [y/N] "]
    assert len(known.rows()) == THINGS
    monkeypatch.setattr(out, "input", lambda question, **_: "y")
    assert known.run("forget") == 0
    assert known.rows() == {}


def test_rows_that_dynamodb_leaves_are_deleted_in_the_next_try(
    known: KnownStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        known.put(f"known#flipt#flag#default/{number}", Row(namespace="default"))
    delete, left = known.dynamodb.batch_write_item, [3, 2]

    def some(RequestItems: Any) -> Any:  # noqa: N803 - boto3's name
        if not left:
            return delete(RequestItems=RequestItems)
        rest = RequestItems["state"][-left.pop(0) :]
        delete(RequestItems={"state": RequestItems["state"][: -len(rest)]})
        return {"UnprocessedItems": {"state": rest}}

    monkeypatch.setattr(known.dynamodb, "batch_write_item", some, raising=False)
    assert known.run("forget", "--yes") == 0
    assert known.rows() == {}
    left.extend([1] * 20)
    known.put(FLAG, Row())
    monkeypatch.setattr(
        known.dynamodb, "batch_write_item", lambda **asked: {"UnprocessedItems": asked["RequestItems"]}, raising=False
    )
    with pytest.raises(CommandError, match="does not delete every row"):
        known.run("forget", "--yes")


def test_what_is_kept_as_its_digest_is_compared_by_it(known: KnownStack, capsys: CapSys) -> None:
    long = json.dumps({"long": "x" * 20_000}, separators=(",", ":"))
    variant = in_flipt(known)["flags"][0]["variants"][0]
    variant["attachment"] = long
    assert known.run("learn") == 0
    state = row(known, row_key("flipt", Thing("variant", (variant["id"],)))).state or {}
    assert state["attachment"] == digest(long)
    known.pass_time(60)
    assert differing(known, capsys, code=0) == []
    variant["attachment"] = long.replace("xx", "xy", 1)
    assert differing(known, capsys) == [("changed", "variant", "a")]


def test_the_state_with_most_in_it_has_what_these_tests_say() -> None:
    assert len(json.dumps(states()[FULL].state)) > 4_000
