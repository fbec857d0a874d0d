"""`flagcast forget`, and the stack and source that all three commands need, over a table of moto's."""

from typing import Any

import pytest

from flagcast.flipt_state.row import Row
from flagcast.flipt_state.thing_keys import Thing, row_key
from flagcast_cli.console import CommandError, out
from tests.integration.cli.known_harness import FLAG, THINGS, CapSys, KnownStack, differing, known, wide

__all__ = ["known", "wide"]


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
