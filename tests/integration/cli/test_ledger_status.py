"""`flagcast status`: whether a person must act, and how each destination and source stands."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from flagcast.tasks.outcomes import Answered, Done, Faulty, Outcome, RetryIn, Throttled
from flagcast_cli.doctor.finding import Finding
from flagcast_cli.history import status
from flagcast_cli.history.destination_state import Destination, Source, Waiting
from tests.integration.cli.ledger_harness import INGEST, NOW, LedgerStack, id_of, ledger, received
from tests.integration.cli.test_ledger_commands import DAY, happened, lines, terminal

__all__ = ["happened", "ledger", "terminal"]

WELL = (Finding("stack", "ok", "UPDATE_COMPLETE"), Finding("alarm topic", "note", "no one is notified"))
ILL = Finding("dead letters", "ill", "1 on the queue", ("flagcast dlq list", "flagcast dlq show"))
UNKNOWN = Finding("alarms", "unknown", "could not look: AccessDenied")


class Examined:
    """Stands for doctor's look at the stack."""

    def __init__(self) -> None:
        self.findings: tuple[Finding, ...] = WELL
        self.times = 0

    def __call__(self, *_: Any) -> tuple[Finding, ...]:
        self.times += 1
        return self.findings


@pytest.fixture
def examined(happened: LedgerStack, monkeypatch: pytest.MonkeyPatch) -> Examined:
    made = Examined()
    monkeypatch.setattr("flagcast_cli.doctor.command.examine", made)
    monkeypatch.setattr(status, "time", SimpleNamespace(time=happened.clock.now, sleep=happened.clock.advance))
    happened._telemetry(INGEST, NOW - 60).rejected("flipt", "unauthorized")
    happened._telemetry(INGEST, NOW - 50).rejected("flipt", "unauthorized")
    happened._telemetry(INGEST, NOW - 50).rejected(None, "unknown_source")
    happened._telemetry(INGEST, NOW - 2 * DAY).rejected("flipt", "too_old")
    return made


@pytest.mark.usefixtures("terminal", "examined")
def test_it_says_what_was_delivered_what_waits_and_the_last_failure_of_each_destination(
    happened: LedgerStack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert happened.run("status") == 0
    assert lines(capsys.readouterr().out) == [
        "No problem found",
        "",
        "destination    hour  day  p50 ms  p95 ms  dead  waits, last failure",
        "archive           0    1      51      51     0  1 paused, next 01-15 07:51:02,",
        "                                                until 01-28 08:00:00, oldest",
        "                                                01-15 07:50:00",
        "incident-desk     0    0      51      51     1  01-15 06:00:00 rejected 404",
        "                                                “{\"error\":\"no such routing",
        "                                                key\"}”",
        "team-chat         0    1      51      51     0  1 circuit-open, next 01-15",
        "                                                07:51:08, until 01-28 08:00:00,",
        "                                                oldest 01-15 07:50:00",
        "                                                1 queued, oldest 01-15 07:59:55",
        "                                                01-15 07:50:01 no answer",
        "                                                (timeout)",
        "",
        "source  hour  day  rejected in a day",
        "-          0    0  1 unknown_source",
        "flipt      2    3  2 unauthorized",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("findings", "code", "said"),
    [
        (WELL, 0, ["No problem found"]),
        ((*WELL, ILL), 1, ["1 problem needs a person", "✗ dead letters: 1 on the queue", "    flagcast dlq list"]),
        ((ILL, UNKNOWN, ILL), 1, ["2 problems need a person", "✗ dead letters: 1 on the queue"]),
        ((UNKNOWN,), 2, ["Not everything could be checked", "? alarms: could not look: AccessDenied"]),
    ],
)
def test_the_first_line_is_what_doctor_finds(
    happened: LedgerStack,
    examined: Examined,
    capsys: pytest.CaptureFixture[str],
    findings: tuple[Finding, ...],
    code: int,
    said: list[str],
) -> None:
    examined.findings = findings
    assert happened.run("status") == code
    assert lines(capsys.readouterr().out)[: len(said)] == said


def test_offline_the_stack_is_not_looked_at(
    happened: LedgerStack, examined: Examined, capsys: pytest.CaptureFixture[str]
) -> None:
    happened.run("events")
    assert happened.run("status", "--offline") == 0
    assert "As it was copied: AWS was not asked." in capsys.readouterr().out
    assert examined.times == 0


def test_json_has_numbers_and_every_kind_of_waiting(
    happened: LedgerStack, examined: Examined, capsys: pytest.CaptureFixture[str]
) -> None:
    examined.findings = (*WELL, ILL)
    outcomes: tuple[Outcome, ...] = (Throttled(NOW + 30), Throttled(NOW + 60), Faulty("no url"))
    for number, outcome in enumerate(outcomes):
        happened.accept(number, NOW - 20, ["slow"])
        happened.attempt(number, NOW - 10, "slow", outcome, RetryIn(30 * (number + 1)), 0, NOW + DAY)
    for number, milliseconds in enumerate(range(10, 2010, 10)):
        told = happened._telemetry("/aws/lambda/flagcast-deliver", NOW - 30)
        message = received(id_of(100 + number), "slow", NOW - 30, 1)
        told.attempted(message, Answered(200), Done(), 1, milliseconds / 1000)
    assert happened.run("status", "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["findings", "destinations", "sources", "dead_letters_counted_in"]
    assert [each["check"] for each in answer["findings"]] == ["dead letters"]
    slow = next(each for each in answer["destinations"] if each["destination"] == "slow")
    assert slow == {
        "destination": "slow",
        "delivered_last_hour": 200,
        "delivered_last_day": 200,
        "waiting": [
            {
                "state": "rate-limited", "count": 2, "oldest_accepted_at": "2027-01-15T07:59:40.000Z",
                "next_attempt_at": "2027-01-15T08:00:20.000Z", "gives_up_at": "2027-01-16T08:00:00.000Z",
            },
            {
                "state": "waiting", "count": 1, "oldest_accepted_at": "2027-01-15T07:59:40.000Z",
                "next_attempt_at": "2027-01-15T08:01:20.000Z", "gives_up_at": "2027-01-16T08:00:00.000Z",
            },
        ],
        "dead_lettered": 0,
        "p50_ms": 1000,
        "p95_ms": 1900,
        "last_failure": None,
    }  # fmt: skip
    desk = next(each for each in answer["destinations"] if each["destination"] == "incident-desk")
    assert (desk["dead_lettered"], desk["last_failure"]["reason"], desk["last_failure"]["status"]) == (
        1,
        "rejected",
        404,
    )
    assert [tuple(each) for each in answer["sources"]] == [Source.__struct_fields__] * 2
    assert tuple(slow) == Destination.__struct_fields__
    assert tuple(slow["waiting"][0]) == Waiting.__struct_fields__


def test_what_was_redriven_and_delivered_is_no_dead_letter_any_more(
    happened: LedgerStack, examined: Examined, capsys: pytest.CaptureFixture[str]
) -> None:
    happened.attempt(0xA1B2C3D4, NOW - 1, "incident-desk", Answered(202), Done(), 1)
    happened.empty()
    assert happened.run("status", "--json") == 0
    desk = json.loads(capsys.readouterr().out)["destinations"][1]
    assert (desk["destination"], desk["dead_lettered"], desk["delivered_last_hour"]) == ("incident-desk", 0, 1)
    assert examined.times == 1


def test_watch_draws_it_again_and_looks_at_the_stack_once_a_minute(
    happened: LedgerStack, examined: Examined, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = iter(range(13))

    def sleep(seconds: float) -> None:
        happened.clock.advance(seconds)
        if next(left, None) is None:
            raise EOFError

    monkeypatch.setattr(status, "time", SimpleNamespace(time=happened.clock.now, sleep=sleep))
    with pytest.raises(EOFError):
        happened.run("status", "--watch")
    assert capsys.readouterr().out.count("No problem found") == 14
    assert examined.times == 2


def dead_of(happened: LedgerStack, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, int], str, str]:
    """Return the dead letters of each destination that has any, where they were counted, and what was said."""
    capsys.readouterr()
    assert happened.run("status", "--json", *words) == 0
    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    found = {each["destination"]: each["dead_lettered"] for each in answer["destinations"] if each["dead_lettered"]}
    return found, answer["dead_letters_counted_in"], shown.err


@pytest.mark.usefixtures("examined")
def test_what_was_dropped_is_no_dead_letter_any_more(happened: LedgerStack, capsys: pytest.CaptureFixture[str]) -> None:
    assert dead_of(happened, capsys) == ({"incident-desk": 1}, "queue", "")
    happened.empty()
    assert dead_of(happened, capsys) == ({}, "queue", "")
    # The log tells the rest: a letter that was received three times is hidden from an alarm.
    assert happened.sqs.received == 0


@pytest.mark.usefixtures("examined")
def test_what_the_log_does_not_know_is_counted_where_it_is(
    happened: LedgerStack, capsys: pytest.CaptureFixture[str]
) -> None:
    happened.empty()
    happened.bury(7, "team-chat")
    happened.bury(8, "team-chat")
    assert dead_of(happened, capsys) == ({"team-chat": 2}, "queue", "")
    assert happened.sqs.received > 0


@pytest.mark.usefixtures("examined")
def test_where_the_queue_cannot_be_asked_dead_letters_are_those_of_the_log(
    happened: LedgerStack, capsys: pytest.CaptureFixture[str]
) -> None:
    happened.empty()
    happened.sqs.denied = True
    found, where, said = dead_of(happened, capsys)
    assert (found, where) == ({"incident-desk": 1}, "log")
    assert said.startswith("Dead letters are those of the log: could not look up the dead-letter queue: AccessDenied")
    assert dead_of(happened, capsys, "--offline") == ({"incident-desk": 1}, "log", "")


def test_watch_receives_letters_only_where_something_changed(
    happened: LedgerStack, examined: Examined, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    happened.bury(7, "team-chat")
    received: list[int] = []

    def sleep(seconds: float) -> None:
        happened.clock.advance(seconds)
        received.append(happened.sqs.received)
        if len(received) == 4:
            happened.bury(8, "team-chat")
        if len(received) == 8:
            raise EOFError

    monkeypatch.setattr(status, "time", SimpleNamespace(time=happened.clock.now, sleep=sleep))
    with pytest.raises(EOFError):
        happened.run("status", "--watch")
    assert received[0] == received[3] < received[4] == received[7]
