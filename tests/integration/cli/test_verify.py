"""`flagcast verify` over a table of moto's and a Flipt on loopback: what differs."""

import json
from typing import Any

import pytest
from msgspec import structs

from flagcast.flipt_state.row import Accepted, Row
from flagcast.flipt_state.stored_state import digest
from flagcast.flipt_state.thing_keys import WITHOUT_ID, Thing, row_key
from flagcast_cli.console import CommandError
from tests.integration.cli.known_harness import (
    FLAG,
    OTHER_FLAG,
    RULES,
    SEGMENT,
    THINGS,
    CapSys,
    KnownStack,
    differing,
    in_flipt,
    known,
    row,
    variant_key,
    wide,
)
from tests.support.captures import states

__all__ = ["known", "wide"]


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
