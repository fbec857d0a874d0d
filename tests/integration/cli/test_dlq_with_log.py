"""`flagcast dlq` with the functions' log beside the queue: titles, answers, what became of what was sent again."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from flagcast.tasks.outcomes import Reason
from flagcast.tasks.task import Task
from flagcast_cli.checkout import ROOT
from flagcast_cli.console import CommandError, out
from flagcast_cli.dlq.aftermath import WITHIN
from tests.integration.cli.dlq_harness import Dlq, dlq, refused
from tests.integration.cli.ledger_harness import INGEST

__all__ = ["dlq"]
CapSys = pytest.CaptureFixture[str]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Dead letters\n")[2].partition("\n## ")[0]


@pytest.fixture
def logged(dlq: Dlq, monkeypatch: pytest.MonkeyPatch) -> Dlq:
    monkeypatch.setattr(out, "_width", 80)
    dlq.log()
    return dlq


def died(
    dlq: Dlq,
    destination: str = "chat",
    answer: str = "no such channel",
    *,
    title: str = "ada turned on flag new-checkout",
    status: int = 422,
    reason: Reason = "rejected",
) -> Task:
    """Have an event accepted and a delivery of it given up, as the log has it; returns its task."""
    made = dlq.die(destination, reason=reason, status=status)
    dlq.accepted(made, title)
    message = dlq.letters()[-1].attributes["message_id"]["StringValue"]
    dlq.attempted(made, "dead_lettered", message, status=status, reason=reason, answer=answer)
    return made


def lines(text: str) -> list[str]:
    return [each.rstrip() for each in text.splitlines()]


def test_list_shows_the_title_of_each_event_and_what_the_destination_answered(logged: Dlq, capsys: CapSys) -> None:
    made, plain = died(logged), logged.die("loose", "x")
    logged.clock.advance(3600)
    assert logged.run("list") == 0
    assert lines(capsys.readouterr().out) == [
        "2 dead letters",
        "destination  reason    count",
        "chat         rejected      1",
        "loose        rejected      1",
        "age  dead letter  event                            id",
        f"1h   chat         ada turned on flag new-checkout  {made.event_id[:12]}",
        "     rejected     422 “no such channel”",
        f"1h   loose        flag updated x                   {plain.event_id[:12]}",
        "     rejected     422 no",
    ]


def test_as_json_each_has_its_title_and_answer(logged: Dlq, capsys: CapSys) -> None:
    died(logged)
    assert logged.run("list", "--json") == 0
    [one] = json.loads(capsys.readouterr().out)["letters"]
    assert (one["title"], one["answer"]) == ("ada turned on flag new-checkout", "no such channel")
    assert [each for each in one if f"`{each}`" not in SECTION] == []


def test_show_prints_both(logged: Dlq, capsys: CapSys) -> None:
    made = died(logged)
    assert logged.run("show", made.event_id.removeprefix("evt_")[:4]) == 0
    shown = lines(capsys.readouterr().out)
    assert "title        ada turned on flag new-checkout" in shown
    assert "answer       no such channel" in shown


@pytest.mark.parametrize("how", ["denied", "not asked"])
def test_without_the_log_the_list_is_plain_and_one_line_says_why(logged: Dlq, capsys: CapSys, how: str) -> None:
    made = died(logged)
    logged.logs.errors = [refused("AccessDeniedException")]
    words = ["--no-log"] if how == "not asked" else []
    assert logged.run("list", *words) == 0
    shown = capsys.readouterr()
    assert "new-checkout" not in shown.out
    assert made.event_id[:8] in shown.out.replace("\n", "")
    why = (
        "Without what the functions' log says: could not read the log group /aws/lambda/flagcast-ingest:"
        " AccessDeniedException for Operation\n"
    )
    assert shown.err == ("" if words else why)


def test_show_says_how_the_deliveries_of_an_event_stand_that_is_no_dead_letter(logged: Dlq, capsys: CapSys) -> None:
    made = logged.ingest("chat")
    logged.accepted(made)
    logged.attempted(made, "retrying", "m-1", status=503, next_attempt_at="2026-09-21T14:20:00.000Z")
    assert logged.run("show", made.event_id[:9]) == 1
    assert lines(capsys.readouterr().out) == [
        f"{made.event_id} has no dead letter:",
        "  chat retrying, next at 2026-09-21T14:20:00.000Z",
        f"flagcast event {made.event_id}",
    ]


def test_show_says_that_an_event_went_nowhere(logged: Dlq, capsys: CapSys) -> None:
    line = {
        "event": "event.accepted",
        "event_id": "evt_12345678",
        "source": "flipt",
        "type": "flag",
        "action": "updated",
    }
    logged.logs.put(INGEST, logged.clock.now(), json.dumps({**line, "destinations": []}))
    assert logged.run("show", "1234") == 1
    assert lines(capsys.readouterr().out) == [
        "evt_12345678 has no dead letter: it was accepted for no destination",
        "flagcast event evt_12345678",
    ]


def test_show_says_of_one_that_was_dropped_that_it_is_not_there_any_more(logged: Dlq, capsys: CapSys) -> None:
    made = died(logged)
    assert logged.run("drop", "--yes") == 0
    capsys.readouterr()
    assert logged.run("show", made.event_id) == 1
    assert "  chat was dead-lettered, and is not in the queue any more" in lines(capsys.readouterr().out)


@pytest.mark.parametrize("command", ["list", "show"])
def test_an_event_that_neither_the_queue_nor_the_log_has_is_an_error(logged: Dlq, command: str) -> None:
    died(logged)
    words = ["evt_0123456789"] if command == "show" else ["--event-id", "evt_0123456789"]
    with pytest.raises(CommandError, match="neither in the dead-letter queue nor in the log"):
        logged.run(command, *words)
    assert logged.held() == []


# Redrive says what became of what it sent


def afterwards(dlq: Dlq, answer: Callable[[Task, str], None], made: list[Task]) -> None:
    """Have deliver attempt what was sent once it is waited for."""

    def attempt() -> None:
        for each in dlq.tasks():
            task = next(one for one in made if one.id == json.loads(each.body)["id"])
            answer(task, each.id)
            dlq.simulator.queue(dlq.url).messages.pop(each.id)

    dlq.while_waiting = attempt


def test_redrive_waits_and_says_that_all_was_delivered(logged: Dlq, capsys: CapSys) -> None:
    made = [died(logged), died(logged, "loose")]
    afterwards(logged, lambda task, message: logged.attempted(task, "delivered", message, status=200), made)
    assert logged.run("redrive", "--yes") == 0
    assert capsys.readouterr().out.endswith("✓ 2 dead letters redriven\n✓ 2 delivered\n")


def test_redrive_says_which_is_dead_again_and_why_and_exits_1(logged: Dlq, capsys: CapSys) -> None:
    made = [died(logged), died(logged, "loose")]

    def answer(task: Task, message: str) -> None:
        if task is made[0]:
            logged.attempted(task, "dead_lettered", message, status=404, reason="rejected", answer="still none")
        else:
            logged.attempted(task, "filtered", message)

    afterwards(logged, answer, made)
    assert logged.run("redrive", "--yes") == 1
    assert lines(capsys.readouterr().out)[-4:] == [
        "✓ 2 dead letters redriven",
        "✓ 1 filtered: the destination does not want it any more",
        f"✗ 1 dead again: rejected 404 “still none”: {made[0].event_id}",
        f"    flagcast dlq show {made[0].event_id}",
    ]


def test_redrive_waits_no_longer_than_two_minutes_and_names_what_still_waits(logged: Dlq, capsys: CapSys) -> None:
    made = [died(logged), died(logged, "loose")]
    began = logged.clock.now()

    def answer(task: Task, message: str) -> None:
        if task is made[0]:
            logged.attempted(task, "retrying", message, status=503, answer="busy")

    afterwards(logged, answer, made)
    assert logged.run("redrive", "--yes") == 0
    assert WITHIN <= logged.clock.now() - began < WITHIN + 5
    assert lines(capsys.readouterr().out)[-4:] == [
        f"… 1 still waiting, retrying: 503 “busy”: {made[0].event_id}",
        f"    flagcast event {made[0].event_id}",
        f"… 1 still waiting: no attempt yet: {made[1].event_id}",
        f"    flagcast event {made[1].event_id}",
    ]


def test_redrive_does_not_wait_for_what_is_tried_again_later_than_that(logged: Dlq, capsys: CapSys) -> None:
    made = [died(logged)]
    began = logged.clock.now()
    later = "2026-09-22T14:13:20Z"
    afterwards(logged, lambda task, message: logged.attempted(task, "retrying", message, next_attempt_at=later), made)
    assert logged.run("redrive", "--yes") == 0
    assert logged.clock.now() - began < 10
    assert "still waiting, retrying" in capsys.readouterr().out


def test_an_attempt_from_before_is_not_taken_for_what_became_of_it(logged: Dlq, capsys: CapSys) -> None:
    # CloudWatch shows lines late: the one that says why the letter is dead can come after it was sent again.
    made = logged.die("chat")
    message = logged.letters()[0].attributes["message_id"]["StringValue"]
    late = [lambda: logged.attempted(made, "dead_lettered", message, status=422, reason="rejected")]

    def come() -> None:
        if late:
            late.pop()()

    logged.while_waiting = come
    assert logged.run("redrive", "--yes") == 0
    assert "1 still waiting: no attempt yet" in capsys.readouterr().out


def test_what_became_of_it_an_earlier_time_is_not_what_became_of_it_now(logged: Dlq, capsys: CapSys) -> None:
    made = died(logged)
    logged.attempted(made, "dead_lettered", "an-earlier-message", status=422, reason="rejected")
    assert logged.run("redrive", "--yes") == 0
    assert "1 still waiting: no attempt yet" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("--no-wait",), ("--no-log",)])
def test_it_does_not_wait_where_that_is_not_wanted_or_nothing_can_be_seen(
    logged: Dlq, capsys: CapSys, words: tuple[str, ...]
) -> None:
    died(logged)
    began = logged.clock.now()
    assert logged.run("redrive", "--yes", *words) == 0
    assert logged.clock.now() == began
    assert capsys.readouterr().out.endswith("✓ 1 dead letter redriven\n")


def test_a_log_that_stops_answering_while_it_waits_is_said_and_changes_nothing(logged: Dlq, capsys: CapSys) -> None:
    died(logged)

    def stop() -> None:
        logged.logs.groups.pop(INGEST, None)

    logged.while_waiting = stop
    assert logged.run("redrive", "--yes") == 0
    shown = capsys.readouterr()
    assert shown.out.endswith("✓ 1 dead letter redriven\n")
    assert "What became of them is not known: there is no log group /aws/lambda/flagcast-ingest" in shown.err


# Redrive judges by what is deployed


def test_redrive_judges_by_the_deployed_configuration_and_not_by_the_checkouts(
    dlq: Dlq, tmp_path: Path, capsys: CapSys
) -> None:
    dlq.die("chat")
    deployed = tmp_path / "deployed.yaml"
    deployed.write_text("sources: {flipt: {auth: none}}\ndestinations: {other: {url: 'https://other.example.com'}}\n")
    dlq.layer.configuration = deployed
    assert dlq.run("redrive", "--yes") == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("1 dead letter\n")
    assert "✗ 1 not redriven: destination chat is not in the configuration" in shown.out
    assert "There are no such dead letters" not in shown.out


def test_where_it_may_not_read_the_deployed_one_it_says_so_and_judges_by_the_checkouts(
    dlq: Dlq, capsys: CapSys
) -> None:
    dlq.die("chat")
    dlq.layer.denied = True
    assert dlq.run("redrive", "--yes") == 0
    shown = capsys.readouterr()
    assert f"Judged by {dlq.config}, as the deployed configuration could not be looked up" in shown.err
    assert "canary" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("words", "message", "steps"),
    [
        (("--destination", "chta"), "there is no destination chta",
         ["Did you mean chat?", "There are dead letters for chat, loose."]),
        (("--reason", "rejectd"), "there is no reason rejectd",
         ["Did you mean rejected?", "The dead letters have expired, rejected."]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["list", "redrive", "drop"])
def test_a_value_that_nothing_has_is_an_error_with_those_there_are(
    dlq: Dlq, command: str, words: tuple[str, str], message: str, steps: list[str]
) -> None:
    dlq.die("chat")
    dlq.die("loose", reason="expired")
    with pytest.raises(CommandError, match=message) as raised:
        dlq.run(command, *(["--yes"] if command != "list" else []), *words)
    assert list(raised.value.next_steps) == steps
    assert (len(dlq.letters()), dlq.held(), dlq.tasks()) == (2, [], [])


def test_a_destination_that_is_known_and_has_no_dead_letter_is_no_error(dlq: Dlq, capsys: CapSys) -> None:
    dlq.die("chat")
    assert dlq.run("redrive", "--destination", "loose", "--yes") == 0
    assert capsys.readouterr().out == "There are no such dead letters.\n"


def test_the_beginning_of_several_ids_names_none_of_them(dlq: Dlq) -> None:
    for each in ("evt_abcdef01", "evt_abcdef02"):
        dlq.put("no task", event_id=each)
    with pytest.raises(CommandError, match="several events begin with abcdef") as raised:
        dlq.run("drop", "--yes", "--event-id", "abcdef")
    assert list(raised.value.next_steps) == ["evt_abcdef01", "evt_abcdef02"]
    assert len(dlq.letters()) == 2


BLOCKS = [found[1] for found in re.finditer(r"```text\n\$ flagcast dlq (.*?)```\n", SECTION, re.DOTALL)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_the_page_shows_what_the_commands_print(logged: Dlq, capsys: CapSys, block: str) -> None:
    first = died(logged, "incident-desk", "no such routing key", title="ada turned on flag new-checkout", status=404)
    logged.clock.advance(7200 - 300)
    second = died(logged, "team-chat", "busy", title="bob created segment beta-users", status=503, reason="expired")
    logged.clock.advance(300)

    def answer(task: Task, message: str) -> None:
        if task is first:
            more = {"status": 404, "reason": "rejected", "answer": "still no such key"}
            logged.attempted(task, "dead_lettered", message, **more)
        else:
            logged.attempted(task, "delivered", message, status=200)

    afterwards(logged, answer, [first, second])
    command, *shown = block.splitlines()
    logged.answer("y\n")
    assert logged.run(command) == (1 if command == "redrive" else 0)
    # A terminal shows what is typed there.
    printed = capsys.readouterr().out.replace("[y/N] ", "[y/N] y\n")
    assert lines(printed) == shown
