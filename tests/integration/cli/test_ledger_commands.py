"""What the commands answer: a flag turned on, a destination that failed, a segment deleted, a change denied."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from flagcast.tasks.outcomes import Answered, CircuitOpen, Done, Faulty, GiveUp, Paused, RetryIn, Throttled, Unreachable
from flagcast_cli.console import CommandError, out
from flagcast_cli.history import tail
from flagcast_cli.history.answers import Attempt, Delivery, Event, OneEvent
from tests.integration.cli.ledger_harness import NOW, LedgerStack, id_of, ledger, turned_on
from tests.unit.builders import event

__all__ = ["ledger"]

FIRST, SECOND, THIRD, FOURTH = 0xA1B2C3D4, 0x0BADCAFE, 0x12345678, 0xA1B2FFFF
DAY = 86_400

Said = Callable[..., str]


@pytest.fixture
def happened(ledger: LedgerStack) -> LedgerStack:
    ledger.accept(FIRST, NOW - 7200, ["team-chat", "archive", "incident-desk"])
    ledger.attempt(FIRST, NOW - 7199.5, "team-chat", Answered(503, None, "busy"), RetryIn(1), 1, NOW + 79_200)
    ledger.attempt(FIRST, NOW - 7198, "team-chat", Answered(200, excerpt="ok"), Done(), 2)
    ledger.attempt(FIRST, NOW - 7199.4, "archive", Answered(200), Done())
    no = '{"error":"no such routing key"}'
    ledger.attempt(FIRST, NOW - 7199.4, "incident-desk", Answered(404, excerpt=no), GiveUp("rejected", no, 404))
    segment = {"key": "beta-users", "name": "Beta users", "namespace_key": "staging"}
    bob = {"actor": {"email": "bob@example.com"}}
    ledger.bury(FIRST, "incident-desk")
    deleted = event(type="segment", action="deleted", payload=segment, metadata=bob)
    ledger.accept(SECOND, NOW - 600, ["team-chat", "archive"], deleted)
    ledger.attempt(SECOND, NOW - 599, "team-chat", Unreachable("timeout"), RetryIn(4), 1, NOW + 85_800)
    ledger.attempt(SECOND, NOW - 590, "team-chat", CircuitOpen(), RetryIn(58), 1, NOW + 13 * DAY)
    ledger.attempt(SECOND, NOW - 599, "archive", Paused(), RetryIn(61), 0, NOW + 13 * DAY)
    denied = event(status="denied", action="deleted", metadata={"actor": {"name": "eve"}})
    ledger.accept(THIRD, NOW - 5, ["team-chat"], denied)
    return ledger


@pytest.fixture
def said(happened: LedgerStack, capsys: pytest.CaptureFixture[str]) -> Said:
    def run(*words: str) -> str:
        capsys.readouterr()
        assert happened.run(*words) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show everything as on a terminal of 80 columns, without colour."""
    for name, value in {"_force_terminal": True, "_color_system": None, "_width": 80}.items():
        monkeypatch.setattr(out, name, value)


def lines(text: str) -> list[str]:
    return [each.rstrip() for each in text.splitlines()]


@pytest.mark.usefixtures("terminal")
def test_events_are_listed_oldest_first_with_how_their_deliveries_stand(said: Said) -> None:
    assert lines(said("events")) == [
        "accepted (UTC)  event                    id            deliveries",
        "01-15 06:00:00  ada turned on flag       evt_a1b2c3d4  1 dead-lettered, 2",
        "                new-checkout in                        delivered",
        "                production",
        "01-15 07:50:00  bob@example.com deleted  evt_0badcafe  1 circuit-open, 1 paused",
        "                segment beta-users in",
        "                staging",
        "01-15 07:59:55  eve tried to delete a    evt_12345678  1 queued",
        "                flag",
    ]


@pytest.mark.usefixtures("terminal")
def test_deliveries_say_what_was_answered_what_they_wait_for_and_until_when(said: Said) -> None:
    assert lines(said("deliveries", "--namespace", "staging")) == [
        "last (UTC)      delivery      event                                 id",
        "01-15 07:50:01  archive       bob@example.com deleted segment       evt_0badcafe",
        "                paused        beta-users in staging",
        "                              the destination is paused",
        "                              next at 01-15 07:51:02",
        "                              given up at 01-28 08:00:00",
        "01-15 07:50:10  team-chat     bob@example.com deleted segment       evt_0badcafe",
        "                circuit-open  beta-users in staging",
        "                              the circuit is open",
        "                              next at 01-15 07:51:08",
        "                              given up at 01-28 08:00:00",
    ]


def test_one_event_is_told_with_what_it_changed_and_every_attempt_and_what_to_type_next(said: Said) -> None:
    assert lines(said("event", "a1b2")) == [
        "event id     evt_a1b2c3d40000000000000000a1b2c3d4",
        "ada turned on flag new-checkout",
        "accepted     2027-01-15T06:00:00.000Z from flipt",
        "type         flag updated",
        "namespace    production",
        "flag         new-checkout",
        "resource     new-checkout",
        "actor        ada",
        "changes      enabled: false → true",
        "",
        "archive  delivered",
        "  01-15 06:00:00.600  attempt 1    delivered in 51 ms: 200",
        "",
        "incident-desk  dead-lettered",
        "  01-15 06:00:00.600  attempt 1    dead-lettered in 51 ms: rejected 404 “{\"error\":\"no such routing key\"}”",
        "",
        "team-chat  delivered",
        "  01-15 06:00:00.500  attempt 1    retrying in 51 ms: 503 “busy”",
        "  01-15 06:00:02.000  attempt 2    delivered in 51 ms: 200 “ok”",
        "",
        "flagcast dlq show evt_a1b2c3d40000000000000000a1b2c3d4",
        "flagcast dlq redrive --event-id evt_a1b2c3d40000000000000000a1b2c3d4 --destination incident-desk",
    ]  # fmt: skip


@pytest.mark.parametrize("offline", [False, True])
def test_what_is_not_in_the_dead_letter_queue_any_more_is_said_and_not_redriven(
    happened: LedgerStack, said: Said, *, offline: bool
) -> None:
    said("events")
    happened.empty()
    told = lines(said("event", "a1b2", *(["--offline"] if offline else [])))
    gone = "  not in the dead-letter queue any more: dropped, expired, or sent again"
    assert (gone in told, told[-1].startswith("flagcast dlq redrive")) == (not offline, offline)
    [desk] = [
        each
        for each in json.loads(said("event", "a1b2", "--json", *(["--offline"] if offline else [])))["deliveries"]
        if each["destination"] == "incident-desk"
    ]
    assert desk["is_in_queue"] is (None if offline else False)


def test_the_queue_is_asked_only_about_an_event_that_has_a_dead_letter(happened: LedgerStack, said: Said) -> None:
    happened.sqs.denied = True
    assert "paused" in said("event", "0bad")
    assert said("event", "a1b2").splitlines()[-1].startswith("flagcast dlq redrive")


def test_an_event_that_waits_is_told_with_when_it_is_tried_next(said: Said) -> None:
    assert lines(said("event", "evt_0bad"))[-8:] == [
        "archive  paused",
        "  01-15 07:50:01.000  paused",
        "  the destination is paused, next at 2027-01-15T07:51:02Z, given up at 2027-01-28T08:00:00Z",
        "",
        "team-chat  circuit-open",
        "  01-15 07:50:01.000  attempt 1    retrying in 51 ms: no answer (timeout)",
        "  01-15 07:50:10.000  circuit-open",
        "  the circuit is open, next at 2027-01-15T07:51:08Z, given up at 2027-01-28T08:00:00Z",
    ]


def test_changes_are_lines_to_paste_without_what_was_denied(said: Said) -> None:
    assert lines(said("changes")) == [
        "2027-01-15T06:00:00Z ada turned on flag new-checkout in production (evt_a1b2c3d4)",
        "    enabled: false → true",
        "2027-01-15T07:50:00Z bob@example.com deleted segment beta-users in staging (evt_0badcafe)",
    ]
    assert len(lines(said("changes", "--since", "2h", "--namespace", "production"))) == 2
    assert len(lines(said("changes", "--since", "1h"))) == 1


def test_changes_without_a_time_are_those_of_the_last_day(happened: LedgerStack, said: Said) -> None:
    happened.accept(FOURTH, NOW - 25 * 3600, [])
    assert len(lines(said("changes"))) == 3
    assert len(lines(said("changes", "--since", "2d"))) == 5


def test_into_a_pipe_go_whole_ids_and_times_between_tabs(said: Said) -> None:
    assert said("events", "--flag", "new-checkout") == (
        "accepted_at\tevent_id\ttype\taction\tnamespace\ttitle\tdeliveries\n"
        "2027-01-15T06:00:00.000Z\tevt_a1b2c3d40000000000000000a1b2c3d4\tflag\tupdated\tproduction\t"
        "ada turned on flag new-checkout\t1 dead-lettered, 2 delivered\n"
    )
    header, row = said("deliveries", "--state", "dead-lettered").splitlines()
    assert header.split("\t") == ["at", "event_id", "destination", "state", "attempt", "title", "answer", "next"]
    assert row.split("\t")[2:5] == ["incident-desk", "dead-lettered", "1"]


FILTERS = [
    (("--destination", "archive"), [("archive", FIRST), ("archive", SECOND)]),
    (("--source", "flipt", "--state", "queued"), [("team-chat", THIRD)]),
    (("--state", "circuit-open"), [("team-chat", SECOND)]),
    (("--type", "segment", "--action", "deleted"), [("archive", SECOND), ("team-chat", SECOND)]),
    (("--namespace", "production", "--destination", "team-chat"), [("team-chat", FIRST)]),
    (("--flag", "new-checkout", "--state", "dead-lettered"), [("incident-desk", FIRST)]),
    (("--actor", "eve"), [("team-chat", THIRD)]),
    (("--reason", "rejected"), [("incident-desk", FIRST)]),
    (("--text", "ROUTING key"), [("incident-desk", FIRST)]),
    (("--text", "100%"), []),
    (("--since", "1h", "--until", "1m"), [("archive", SECOND), ("team-chat", SECOND)]),
    (("--since", "yesterday", "--until", "today"), []),
]


@pytest.mark.parametrize(("words", "found"), FILTERS, ids=[" ".join(words) for words, _ in FILTERS])
def test_deliveries_are_those_for_which_every_filter_holds(
    said: Said, words: tuple[str, ...], found: list[tuple[str, int]]
) -> None:
    answer = json.loads(said("deliveries", *words, "--json"))
    assert [(each["destination"], each["event_id"]) for each in answer["deliveries"]] == [
        (destination, id_of(number)) for destination, number in found
    ]
    assert answer["total"] == len(found)


def test_events_are_those_with_a_delivery_for_which_they_all_hold(said: Said) -> None:
    def found(*words: str) -> list[str]:
        return [each["event_id"] for each in json.loads(said("events", *words, "--json"))["events"]]

    assert found("--destination", "archive", "--state", "delivered") == [id_of(FIRST)]
    assert found("--destination", "archive", "--state", "queued") == []
    assert found("--reason", "rejected") == [id_of(FIRST)]
    assert found("--text", "enabled") == [id_of(FIRST)]


def test_of_many_the_newest_are_shown_and_it_says_that_there_are_more(
    happened: LedgerStack, said: Said, capsys: pytest.CaptureFixture[str]
) -> None:
    said("deliveries", "--limit", "2")
    assert happened.run("deliveries", "--limit", "2", "--offline") == 0
    shown = capsys.readouterr()
    assert [row.split("\t")[3] for row in shown.out.splitlines()] == ["state", "circuit-open", "queued"]
    assert shown.err == "The newest 2 of 6 deliveries. --limit 0 shows all of them.\n"
    assert len(said("deliveries", "--limit", "0").splitlines()) == 7


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        (("--flag", "new-chekout"), "the log has no flag new-chekout", "Did you mean new-checkout?"),
        (("--state", "done"), "there is no state done", "It is one of queued, retrying, rate-limited"),
        (("--destination", "chat"), "the log has no destination chat", "Did you mean team-chat?"),
        (("--namespace", "x"), "the log has no namespace x", "It has production, staging."),
        (("--since", "soon"), "--since: soon is no time; write it as in 2h, 3d", ""),
    ],
)
def test_a_filter_that_nothing_can_match_is_an_error_with_what_there_is(
    happened: LedgerStack, words: tuple[str, ...], problem: str, hint: str
) -> None:
    with pytest.raises(CommandError) as raised:
        happened.run("events", *words)
    assert str(raised.value).startswith(problem)
    assert "\n".join(raised.value.next_steps).startswith(hint)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("evt_ffff", "the log has no event evt_ffff"),
        ("evt_a", "evt_a is too short to name an event"),
        ("a1b2", "several events begin with a1b2"),
    ],
)
def test_what_names_no_event_or_several_is_said(happened: LedgerStack, given: str, problem: str) -> None:
    happened.accept(FOURTH, NOW - 1, [])
    with pytest.raises(CommandError, match=problem):
        happened.run("event", given)


def test_an_event_is_found_by_a_delivery_id_and_by_attempts_alone(happened: LedgerStack, said: Said) -> None:
    happened.attempt(FOURTH, NOW - 1, "archive", Faulty("no url"), RetryIn(60), 0, NOW + DAY)
    told = lines(said("event", f"{id_of(FOURTH)}:archive"))
    assert told[1] == "Its own line is older than what was copied of the log."
    assert told[-1] == "flagcast check --stack flagcast"
    assert "  01-15 07:59:59.000  waiting: no url" in told


def test_a_delivery_that_was_redriven_is_what_its_last_attempt_says(happened: LedgerStack, said: Said) -> None:
    happened.attempt(FIRST, NOW - 1, "incident-desk", Answered(202), Done(), 1)
    [delivery] = json.loads(said("deliveries", "--destination", "incident-desk", "--json"))["deliveries"]
    assert (delivery["state"], delivery["status"], delivery["reason"]) == ("delivered", 202, None)


def test_a_resend_is_no_second_event_and_the_first_line_says_when_it_was_accepted(
    happened: LedgerStack, said: Said
) -> None:
    happened.accept(FIRST, NOW - 7100, ["team-chat", "archive", "incident-desk"], event())
    found = json.loads(said("events", "--flag", "new-checkout", "--json"))["events"]
    assert [each["accepted_at"] for each in found] == ["2027-01-15T06:00:00.000Z"]


def test_notices_are_events_of_flagcast_and_no_changes(happened: LedgerStack, said: Said) -> None:
    happened._telemetry("/aws/lambda/flagcast-deliver", NOW - 1).notice_queued(
        "trouble", "team-chat", "archive", id_of(FOURTH)
    )
    [notice] = json.loads(said("events", "--type", "flagcast", "--json"))["events"]
    assert (notice["title"], notice["source"]) == ("Flagcast: destination team-chat trouble", "flagcast:notices")
    assert len(lines(said("changes"))) == 3


def test_without_names_in_the_log_an_event_is_its_type_and_action(ledger: LedgerStack, capsys: Any) -> None:
    line = {"event": "event.accepted", "event_id": id_of(1), "source": "flipt", "type": "flag", "action": "updated"}
    ledger.logs.put("/aws/lambda/flagcast-ingest", NOW - 1, json.dumps(line))
    assert ledger.run("event", "0000") == 0
    assert lines(capsys.readouterr().out) == [
        f"event id     {id_of(1)}",
        "flag updated",
        "accepted     2027-01-15T07:59:59.000Z from flipt",
        "type         flag updated",
        "changes      unknown: Flagcast did not know what was there before, or LogNames is off",
    ]


def test_a_text_that_a_terminal_would_obey_is_shown(happened: LedgerStack, said: Said) -> None:
    hostile = structs.replace(turned_on(), metadata={"actor": {"name": "\x1b[2J[red]eve"}})
    happened.accept(FOURTH, NOW - 1, [], hostile)
    assert "\x1b" not in said("events") + said("event", "a1b2ffff") + said("changes")


JSON = {"events": Event, "deliveries": Delivery, "changes": Event}


@pytest.mark.parametrize("command", JSON)
def test_json_has_the_fields_that_are_documented(said: Said, command: str) -> None:
    answer = json.loads(said(command, "--json"))
    assert list(answer) == [command, *(["total"] if command != "changes" else [])]
    assert {tuple(each) for each in answer[command]} == {JSON[command].__struct_fields__}


def test_json_of_one_event_has_the_fields_that_are_documented(said: Said) -> None:
    answer = json.loads(said("event", "0bad", "--json"))
    assert list(answer) == list(OneEvent.__struct_fields__)
    assert [list(each) for each in answer["deliveries"]] == [["destination", "state", "attempts", "is_in_queue"]] * 2
    assert list(answer["deliveries"][0]["attempts"][0]) == list(Attempt.__struct_fields__)


class Ended(Exception):
    pass


def followed(
    stack: LedgerStack, monkeypatch: pytest.MonkeyPatch, rounds: list[Callable[[], object]], *words: str
) -> None:
    """Run tail, and let something happen after each look."""
    left = iter(rounds)

    def wait(seconds: float) -> None:
        assert seconds == 2
        if (happens := next(left, None)) is None:
            raise Ended
        happens()

    follow = tail.follow
    monkeypatch.setattr(
        "flagcast_cli.history.command.follow",
        lambda copy, wanted, _, every, as_json: follow(copy, wanted, wait, every, as_json=as_json),
    )
    with pytest.raises(Ended):
        stack.run("tail", *words)


def test_tail_shows_what_happens_from_now_on_and_no_line_twice(
    happened: LedgerStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    followed(
        happened,
        monkeypatch,
        [
            lambda: happened.accept(FOURTH, NOW - 1, ["team-chat"]),
            lambda: happened.attempt(FOURTH, NOW, "team-chat", Answered(503, excerpt="busy"), RetryIn(4), 1, NOW + DAY),
            lambda: happened.attempt(FOURTH, NOW + 1, "team-chat", Throttled(NOW + 8), RetryIn(7), 1, NOW + DAY),
            lambda: None,
            lambda: happened.attempt(FOURTH, NOW + 9, "team-chat", Answered(200), Done(), 2),
        ],
    )
    assert lines(capsys.readouterr().out) == [
        "01-15 07:59:59 accepted      ada turned on flag new-checkout → team-chat evt_a1b2ffff",
        "01-15 08:00:00 retrying      team-chat: 503 “busy”, in 51 ms, next at 2027-01-15T08:00:04Z,"
        " given up at 2027-01-16T08:00:00Z evt_a1b2ffff",
        "01-15 08:00:01 rate-limited  team-chat, waits for its turn (rate_limit), next at 2027-01-15T08:00:08Z,"
        " given up at 2027-01-16T08:00:00Z evt_a1b2ffff",
        "01-15 08:00:09 delivered     team-chat: 200, in 51 ms evt_a1b2ffff",
    ]  # fmt: skip


def test_tail_begins_where_since_says_and_obeys_filters(
    happened: LedgerStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    followed(happened, monkeypatch, [], "--since", "1h", "--destination", "archive", "--json")
    told = [json.loads(each) for each in lines(capsys.readouterr().out)]
    assert [(each["event_id"], each["destination"]) for each in told] == [
        (id_of(SECOND), None), (id_of(SECOND), "archive"),
    ]  # fmt: skip
    assert told[0]["event"]["title"] == told[1]["what"] == "bob@example.com deleted segment beta-users"
    assert told[1]["attempt"]["state"] == "paused"
