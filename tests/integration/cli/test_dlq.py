"""`flagcast dlq list`, `show` and `drop`, and what all commands share."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from flagcast_cli.console import CommandError, out
from tests.integration.cli.dlq_harness import Dlq, dlq, refused

__all__ = ["dlq"]
CapSys = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "_width", 200)


def listed(dlq: Dlq, capsys: CapSys, *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert dlq.run("list", "--json", *words) == 0
    letters: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["letters"]
    return letters


def test_list_counts_by_destination_and_reason_before_it_shows_each(dlq: Dlq, capsys: CapSys) -> None:
    dlq.die("chat", "new-ui")
    dlq.die("chat", "old-ui")
    made = dlq.die("loose", "x", "expired", type="segment", action="deleted", payload={"key": "x"})
    dlq.clock.advance(2 * 86_400 + 3 * 3600 + 59)
    assert dlq.run("list") == 0
    lines = [re.sub(r"[│┃\s]+", " ", line).strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:4] == ["3 dead letters", "destination reason count", "chat rejected 2", "loose expired 1"]
    assert f"loose segment deleted x expired 422 2d3h 1 {made.event_id[:12]}" in lines
    assert "destination event key reason status age attempts id" in lines


def test_list_leaves_every_letter_where_it_was(dlq: Dlq) -> None:
    for _ in range(35):
        dlq.die("chat")
    before = dlq.names(dlq.letters())
    assert dlq.run("list") == 0
    assert (dlq.names(dlq.letters()), dlq.held(), dlq.tasks()) == (before, [], [])


def test_list_of_an_empty_queue_says_so(dlq: Dlq, capsys: CapSys) -> None:
    assert dlq.run("list") == 0
    assert capsys.readouterr().out == "There are no such dead letters.\n"
    assert listed(dlq, capsys) == []


def test_letters_in_other_hands_are_said_to_be_there(dlq: Dlq, capsys: CapSys) -> None:
    dlq.die("chat")
    dlq.die("chat")
    dlq.simulator.take(dlq.dead_url, 1, 100)
    assert dlq.run("list") == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("1 dead letter\n")
    assert "1 more may be held by another command" in shown.err


def test_as_json_everything_but_the_body_is_told(dlq: Dlq, capsys: CapSys) -> None:
    made = dlq.die("chat", "new-ui")
    dlq.put("{", reason="unreadable")
    (known, unknown) = sorted(listed(dlq, capsys), key=lambda each: each["destination"], reverse=True)
    assert known == {
        "message_id": dlq.letters()[0].id,
        "event_id": made.event_id,
        "destination": "chat",
        "type": "flag",
        "action": "updated",
        "key": "new-ui",
        "title": None,
        "reason": "rejected",
        "detail": "no",
        "status": "422",
        "answer": None,
        "attempts": "1",
        "accepted_at": made.received_at,
        "replay": None,
        "dead_since": "2026-09-21T14:13:20.000Z",
    }
    assert {name for name, value in unknown.items() if value is not None} == {
        "message_id", "destination", "reason", "dead_since",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--destination", "loose"), ["loose"]),
        (("--reason", "expired"), ["chat"]),
        (("--type", "*:deleted"), ["chat", "loose"]),
        (("--older-than", "1h"), ["chat"]),
        (("--newer-than", "1h"), ["chat", "loose"]),
    ],
)
def test_a_filter_picks_letters_and_lets_go_of_the_others(
    dlq: Dlq, capsys: CapSys, words: tuple[str, ...], found: list[str]
) -> None:
    dlq.die("chat", reason="expired")
    dlq.clock.advance(3700)
    dlq.die("chat", action="deleted")
    dlq.die("loose", type="segment", action="deleted")
    assert [each["destination"] for each in listed(dlq, capsys, *words)] == found
    assert dlq.held() == []


def test_an_event_is_found_by_its_id_its_tasks_its_messages_or_the_beginning_of_one(dlq: Dlq, capsys: CapSys) -> None:
    made = dlq.die("chat")
    dlq.die("chat")
    for given in (made.event_id, made.id, dlq.letters()[0].id, made.event_id[:12]):
        (one,) = listed(dlq, capsys, "--event-id", given)
        assert one["event_id"] == made.event_id
    with pytest.raises(CommandError, match="evt_ is too short to name an event"):
        dlq.run("list", "--event-id", "evt_")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--older-than", "yesterday"), "expected a duration"),
        (("--type", "flags"), "unknown 'flags'"),
    ],
)
def test_a_filter_that_says_nothing_is_refused_before_anything_is_received(
    dlq: Dlq, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        dlq.run("drop", "--yes", *words)
    assert dlq.client.calls == []


HOSTILE = [
    ("not JSON \x7f", {}),
    ('{"v": 2, "id": "evt_x:chat", "more": []}', {"reason": "unreadable"}),
    ('{"v": 1, "id": "evt_x:chat"}', {"reason": "rejected", "status": "4", "attempts": "-1", "sequence": "x"}),
    ("[" * 100_000, {"destination": "[red]chat[/]", "event_id": ":boom:"}),
    ('{"v":1,"id":"\\u001b[2J:-","event_id":"\\u001b[2J","source":"s","destination":"\\u001b[2J","received_at":"",'
     '"body":"\\u001b[2J\\u202e"}', {"reason": "rejected"}),
]  # fmt: skip


def test_letters_that_are_none_of_ours_are_listed_shown_refused_and_dropped(dlq: Dlq, capsys: CapSys) -> None:
    for body, attributes in HOSTILE:
        dlq.put(body, **attributes)
    assert dlq.run("list") == 0
    assert len(listed(dlq, capsys)) == len(HOSTILE)
    for each in dlq.letters():
        assert dlq.run("show", each.id) == 0
        assert "flagcast dlq drop --event-id" in (shown := capsys.readouterr().out)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert dlq.run("redrive", "--yes") == 1
    assert "a later version of Flagcast wrote it (v2)" in capsys.readouterr().out
    assert (len(dlq.letters()), dlq.held(), dlq.tasks()) == (len(HOSTILE), [], [])
    assert dlq.run("drop", "--yes") == 0
    assert dlq.letters() == []


def test_letters_of_the_queues_net_are_counted_as_at_least_so_many(dlq: Dlq, capsys: CapSys) -> None:
    dlq.die_by_the_net("chat", 12)
    dlq.die("chat")
    assert dlq.run("list") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("At least 11 dead letters\n")
    assert re.search(r"chat +queue_net +at least 10\n", shown)
    assert re.search(r"chat +rejected +1\n", shown)


def test_show_prints_the_body_why_it_is_there_and_the_next_command(dlq: Dlq, capsys: CapSys) -> None:
    made = dlq.die("chat", "né\u202ew", detail="[bold]no :boom:[/]")
    dlq.clock.advance(90)
    assert dlq.run("show", made.event_id) == 0
    shown = capsys.readouterr().out
    for line in (
        "destination  chat",
        "event        flag updated né\\u202ew",
        f"event id     {made.event_id}",
        f"message id   {dlq.letters()[0].id}",
        "reason       rejected",
        "detail       [bold]no :boom:[/]",
        "status       422",
        "attempts     1",
        f"accepted     {made.received_at}",
        "dead since   2026-09-21T14:13:20.000Z (1m30s ago)",
        '    "key": "né\\u202ew",',
        "The destination rejected it, and says why. Fix one of the two, deploy, then:",
        f"  flagcast dlq redrive --event-id {made.event_id} --destination chat",
    ):
        assert line in shown.splitlines(), shown
    assert dlq.held() == []


def test_show_prints_each_letter_of_an_event(dlq: Dlq, capsys: CapSys) -> None:
    identity = dlq.not_an_event()
    dlq.put("no task", event_id=identity)
    assert dlq.run("show", identity) == 0
    shown = capsys.readouterr().out
    assert "It cannot be redriven: its body is not an event (no action), so nothing can deliver it." in shown
    assert f"  flagcast dlq drop --event-id {identity} --destination -\n" in shown
    assert "\nno task\n" in shown


def test_show_says_that_there_is_no_such_letter(dlq: Dlq) -> None:
    with pytest.raises(CommandError, match="no dead letter of evt_1234"):
        dlq.run("show", "evt_1234")


def test_a_body_that_is_stored_apart_is_fetched_to_be_shown_or_filtered_and_not_to_be_listed(
    dlq: Dlq, capsys: CapSys
) -> None:
    made = dlq.die("chat", "large", apart=True)
    (one,) = listed(dlq, capsys)
    assert (one["event_id"], one["type"]) == (made.event_id, None)
    (one,) = listed(dlq, capsys, "--type", "flag")
    assert (one["type"], one["key"]) == ("flag", "large")
    assert dlq.run("show", made.event_id) == 0
    assert '"key": "large"' in capsys.readouterr().out
    dlq.bucket.objects.clear()
    assert dlq.run("show", made.event_id) == 0
    assert "its body, stored apart, is not there any more" in capsys.readouterr().out
    assert dlq.run("list", "--type", "flag") == 0
    assert "1 left out: the type of their event cannot be read" in capsys.readouterr().err


def test_drop_deletes_what_was_counted_and_agreed_to(dlq: Dlq, capsys: CapSys) -> None:
    for _ in range(12):
        dlq.die("chat")
    dlq.die("loose")
    dlq.answer("y\n")
    assert dlq.run("drop", "--destination", "chat") == 0
    assert dlq.names(dlq.letters()) == [dlq.names(dlq.letters())[0]]
    assert dlq.names(dlq.letters())[0].endswith(":loose")
    shown = capsys.readouterr().out
    assert shown.index("12 dead letters") < shown.index("Delete 12 dead letters for good? [y/N]")
    assert shown.endswith("✓ 12 dropped\n")
    assert (dlq.held(), dlq.tasks()) == ([], [])


@pytest.mark.parametrize(
    ("command", "typed"), [("drop", ""), ("drop", "\n"), ("drop", "n\n"), ("drop", "yess\n"), ("redrive", "n\n")]
)
def test_anything_but_yes_changes_nothing(dlq: Dlq, capsys: CapSys, command: str, typed: str) -> None:
    dlq.die("chat")
    dlq.answer(typed)
    assert dlq.run(command) == 1
    assert capsys.readouterr().out.endswith("Nothing was changed.\n")
    assert (len(dlq.letters()), dlq.held(), dlq.tasks()) == (1, [], [])


@pytest.mark.parametrize("command", ["drop", "redrive"])
def test_without_a_terminal_and_without_yes_it_refuses_before_anything_is_received(dlq: Dlq, command: str) -> None:
    dlq.die("chat")
    with pytest.raises(CommandError, match="no terminal to ask") as raised:
        dlq.run(command)
    assert "--yes" in raised.value.next_steps[0]
    assert dlq.client.calls == []


@pytest.mark.parametrize("command", ["drop", "redrive"])
def test_a_dry_run_changes_nothing(dlq: Dlq, capsys: CapSys, command: str) -> None:
    made = dlq.die("chat", "new-ui", apart=True)
    before = dlq.names(dlq.letters())
    assert dlq.run(command, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "1 dead letter\n" in shown
    assert made.event_id[:12] in shown
    assert shown.endswith("Nothing was changed: this was a dry run.\n")
    assert (dlq.names(dlq.letters()), dlq.held(), dlq.tasks(), dlq.bucket.written) == (before, [], [], [])


@pytest.mark.parametrize("command", ["drop", "redrive"])
def test_nothing_to_do_is_nothing_wrong(dlq: Dlq, capsys: CapSys, command: str) -> None:
    for words in (["--yes"], ["--dry-run"]):
        assert dlq.run(command, *words) == 0
        assert capsys.readouterr().out == "There are no such dead letters.\n"


def test_what_could_not_be_dropped_is_said_and_the_rest_is_dropped(dlq: Dlq, capsys: CapSys) -> None:
    for _ in range(3):
        dlq.die("chat")
    stubborn = dlq.letters()[1].id

    def refuse(number: int, operation: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        if operation == "delete_message_batch" and any(stubborn in e["ReceiptHandle"] for e in arguments["Entries"]):
            raise refused()
        return None

    dlq.client.before = refuse
    assert dlq.run("drop", "--yes") == 1
    assert "✓ 2 dropped\n✗ 1 not known to be deleted" in capsys.readouterr().out
    assert [each.id for each in dlq.letters()] == [stubborn]
    assert dlq.held() == []


def test_ctrl_c_at_the_question_hands_every_letter_back(dlq: Dlq, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(35):
        dlq.die("chat")

    def interrupted(*_: object, **__: object) -> str:
        assert len(dlq.held()) == 35
        raise KeyboardInterrupt

    dlq.answer("")
    monkeypatch.setattr(out, "input", interrupted)
    with pytest.raises(SystemExit) as ended:
        dlq.run("drop")
    assert ended.value.code == 130
    assert (len(dlq.letters()), dlq.held()) == (35, [])


def test_an_error_while_receiving_is_said_by_name_and_hands_back_what_was_received(dlq: Dlq) -> None:
    for _ in range(11):
        dlq.die("chat")

    def fail(number: int, operation: str, arguments: dict[str, Any]) -> None:
        if operation == "receive_message" and number > 0:
            raise refused("AccessDenied")

    dlq.client.before = fail
    with pytest.raises(CommandError, match="could not be received: AccessDenied") as raised:
        dlq.run("list")
    assert raised.value.next_steps[0].startswith("Your credentials do not allow this.")
    assert dlq.held() == []


def test_a_stack_that_is_not_there_or_not_ours_is_met_with_where_to_look(dlq: Dlq) -> None:
    with pytest.raises(CommandError, match="there is no stack other in this account and region") as raised:
        dlq.run("list", "--stack", "other")
    assert "--stack" in raised.value.next_steps[0]
    del dlq.outputs["TaskQueueUrl"]
    with pytest.raises(CommandError, match="the stack flagcast has no output TaskQueueUrl"):
        dlq.run("list")


@pytest.mark.parametrize(
    ("error", "message", "step"),
    [
        (NoCredentialsError(), "no AWS credentials were found", "Sign in"),
        (refused("ExpiredToken"), "the dead letters could not be received: AWS does not accept this login", "Sign in"),
        (refused("Strange"), "the dead letters could not be received: Strange", "Try again"),
    ],
)
def test_a_login_that_ends_in_the_middle_is_asked_for_again(
    dlq: Dlq, error: Exception, message: str, step: str
) -> None:
    def fail(number: int, operation: str, arguments: dict[str, Any]) -> None:
        raise error

    dlq.client.before = fail
    with pytest.raises(CommandError, match=message) as raised:
        dlq.run("list")
    assert raised.value.next_steps[0].startswith(step)
    assert "canary" not in str(raised.value)


def test_nothing_that_is_printed_holds_a_secret_or_what_aws_said(dlq: Dlq, capsys: CapSys) -> None:
    dlq.die("chat")
    dlq.die("chat", "b")

    def fail(number: int, operation: str, arguments: dict[str, Any]) -> None:
        if operation == "send_message_batch":
            raise refused()

    dlq.client.before = fail
    assert dlq.run("redrive", "--yes") == 1
    for words in (("list",), ("list", "--json"), ("redrive", "--dry-run"), ("drop", "--dry-run")):
        dlq.run(*words)
    shown = capsys.readouterr()
    assert "canary" not in shown.out + shown.err
