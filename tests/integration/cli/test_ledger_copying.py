"""How the log is copied: pages, repeats, errors, and two commands at once."""

import fcntl
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, EndpointConnectionError

from flagcast.tasks.outcomes import Answered, Done
from flagcast_cli.console import CommandError
from flagcast_cli.ledger.file import opened
from flagcast_cli.ledger.log_copy import PACE
from flagcast_cli.ledger.schema import VERSION
from flagcast_cli.ledger.stack_log import up_to_date
from flagcast_cli.stack.account import Account
from tests.integration.cli.ledger_harness import DELIVER, INGEST, NOW, LedgerStack, id_of, ledger, refused
from tests.support.time_limits import PATIENCE

__all__ = ["ledger"]

HOUR, DAY = 3600, 86_400


@pytest.fixture
def asked(ledger: LedgerStack, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command with --json, and return its answer."""

    def run(*words: str) -> Any:
        capsys.readouterr()
        assert ledger.run(*words, "--json") == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_every_page_is_copied_though_some_are_empty_and_more_follow(ledger: LedgerStack, asked: Any) -> None:
    for number in range(25):
        ledger.accept(number, NOW - 1000 + number, ["chat"])
    ledger.logs.page, ledger.logs.empty_pages = 10, 2
    assert [each["event_id"] for each in asked("events")["events"]] == [id_of(number) for number in range(25)]
    assert [each.get("nextToken") for each in ledger.logs.asked if each["logGroupName"] == INGEST] == [
        None, "1", "2", "3", "4",
    ]  # fmt: skip


def test_pages_are_asked_for_at_a_pace_that_leaves_others_some_of_the_accounts_quota(ledger: LedgerStack) -> None:
    for number in range(40):
        ledger.accept(number, NOW - 1000, ["chat"])
    ledger.logs.page = 10
    assert ledger.run("events") == 0
    assert ledger.clock.now() == NOW + 3 * PACE


def test_the_next_command_copies_from_the_newest_less_an_hour_and_nothing_twice(
    ledger: LedgerStack, asked: Any
) -> None:
    ledger.accept(1, NOW - 2 * DAY, ["chat"])
    ledger.accept(2, NOW - HOUR, ["chat"])
    assert asked("events")["total"] == 2
    ledger.logs.asked.clear()
    # An event that CloudWatch took in late, with a time before the newest that was seen.
    ledger.accept(3, NOW - HOUR - 30 * 60, ["chat"])
    assert [each["event_id"] for each in asked("events")["events"]] == [id_of(1), id_of(3), id_of(2)]
    starts = {each["logGroupName"]: each["startTime"] for each in ledger.logs.asked}
    assert starts[INGEST] == (NOW - 2 * HOUR) * 1000
    # Nothing was logged there yet.
    assert starts[DELIVER] == (NOW - 30 * DAY) * 1000


def test_a_copy_that_was_stopped_goes_on_where_it_was(ledger: LedgerStack, asked: Any) -> None:
    for number in range(30):
        ledger.accept(number, NOW - 10 * DAY + number * HOUR, ["chat"])
    ledger.logs.page = 10
    with stopped_after(ledger, pages=2), pytest.raises(SystemExit):
        ledger.run("events")
    ledger.logs.asked.clear()
    assert asked("events")["total"] == 30
    assert ledger.logs.asked[0]["startTime"] == (NOW - 10 * DAY + 19 * HOUR - HOUR) * 1000


@contextmanager
def stopped_after(ledger: LedgerStack, pages: int) -> Iterator[None]:
    """Have Ctrl-C come after so many pages."""
    ask, left = ledger.logs.filter_log_events, iter(range(pages))

    def asking(**asked: Any) -> dict[str, Any]:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return ask(**asked)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ledger.logs, "filter_log_events", asking)
        yield


def test_throttling_is_waited_out(ledger: LedgerStack, asked: Any) -> None:
    ledger.accept(1, NOW - 10, ["chat"])
    ledger.logs.errors = [refused("ThrottlingException")] * 3
    assert asked("events")["total"] == 1
    assert ledger.clock.now() == NOW + 1 + 2 + 4


def test_throttling_that_does_not_end_is_said_and_so_is_what_still_works(ledger: LedgerStack) -> None:
    ledger.logs.errors = [refused("ThrottlingException")] * 7
    with pytest.raises(CommandError, match="calls CloudWatch too often") as raised:
        ledger.run("events")
    assert "it continues where it stopped" in raised.value.next_steps[0]


def test_a_group_that_is_missing_is_named(ledger: LedgerStack) -> None:
    del ledger.logs.groups[DELIVER]
    with pytest.raises(CommandError, match=f"there is no log group {DELIVER}"):
        ledger.run("events")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refused("ExpiredTokenException"), "AWS does not accept this login"),
        (refused("AccessDeniedException"), "AccessDeniedException for FilterLogEvents"),
        (EndpointConnectionError(endpoint_url="https://logs"), "could not read"),
    ],
    ids=["expired login", "denied", "no network"],
)
def test_what_keeps_the_log_from_being_read_is_said_with_what_to_do(
    ledger: LedgerStack, error: BotoCoreError, said: str
) -> None:
    ledger.logs.errors = [error]
    with pytest.raises(CommandError, match=said) as raised:
        ledger.run("events")
    assert raised.value.next_steps


def test_offline_it_answers_from_what_was_copied(ledger: LedgerStack, asked: Any) -> None:
    with pytest.raises(CommandError, match="nothing has been copied yet from a stack flagcast"):
        ledger.run("events", "--offline")
    ledger.accept(1, NOW - 10, ["chat"])
    asked("events")
    ledger.logs.asked.clear()
    ledger.accept(2, NOW - 5, ["chat"])
    assert asked("events", "--offline")["total"] == 1
    assert ledger.logs.asked == []


def test_lines_of_lambda_and_of_others_are_no_rows_and_split_lines_are_put_together(
    ledger: LedgerStack, asked: Any
) -> None:
    ledger.logs.put(INGEST, NOW - 100, "START RequestId: 8f507cfc Version: $LATEST\n")
    ledger.logs.put(INGEST, NOW - 99, '{"event":"probe.answered","event_id":"evt_1"}\n')
    ledger.accept(1, NOW - 98, ["chat"])
    whole = ledger.logs.groups[INGEST].pop()["message"]
    ledger.logs.put(INGEST, NOW - 98, whole[:100], stream="two")
    ledger.logs.put(INGEST, NOW - 98, "END RequestId: 8f507cfc\n")
    ledger.logs.put(INGEST, NOW - 98, whole[100:], stream="two")
    ledger.logs.put(INGEST, NOW - 97, "not JSON {")
    assert [each["event_id"] for each in asked("events")["events"]] == [id_of(1)]


def test_what_is_older_than_the_log_is_forgotten(ledger: LedgerStack, asked: Any) -> None:
    ledger.parameters["LogRetentionDays"] = "3"
    ledger.accept(1, NOW - 2 * DAY, ["chat"])
    ledger.attempt(1, NOW - 2 * DAY + 1, "chat", Answered(200), Done())
    assert asked("deliveries")["total"] == 1
    ledger.clock.advance(2 * DAY)
    ledger.logs.groups[INGEST].clear()
    ledger.logs.groups[DELIVER].clear()
    assert asked("deliveries")["total"] == 0
    assert asked("events")["total"] == 0


def test_a_stack_that_was_made_again_has_a_ledger_of_its_own(ledger: LedgerStack, asked: Any) -> None:
    ledger.accept(1, NOW - 10, ["chat"])
    assert asked("events")["total"] == 1
    ledger.logs.groups[INGEST].clear()
    ledger.arn = ledger.arn.replace("0a1b2c3d", "4e5f6071")
    assert asked("events")["total"] == 0


def the_file(folder: Path) -> Path:
    return folder / "flagcast" / "ledger" / "123456789012_eu-west-1_flagcast.sqlite"


@contextmanager
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_only_its_owner_can_read_the_file(ledger: LedgerStack, tmp_path: Path) -> None:
    ledger.accept(1, NOW - 10, ["chat"])
    with open_umask(), up_to_date("flagcast", Account(), lambda _: None, offline=False):
        modes = [stat.S_IMODE(each.stat().st_mode) for each in the_file(tmp_path).parent.iterdir()]
    assert modes == [0o600] * 3


def damage(path: Path) -> None:
    path.write_bytes(b"not a database, and longer than its header of a hundred bytes" * 100)


def age(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE events (id TEXT)")
        connection.execute("CREATE VIEW deliveries AS SELECT * FROM events")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(20_000)


@pytest.mark.parametrize("spoil", [damage, age, cut])
def test_a_file_that_is_damaged_or_of_another_version_is_made_again(
    ledger: LedgerStack, tmp_path: Path, asked: Any, spoil: Callable[[Path], None]
) -> None:
    for number in range(500):
        ledger.accept(number, NOW - 1000, ["chat"])
    assert asked("events")["total"] == 500
    spoil(the_file(tmp_path))
    assert asked("events")["total"] == 500


def test_two_commands_at_once_make_one_ledger(ledger: LedgerStack, tmp_path: Path, asked: Any) -> None:
    for number in range(300):
        ledger.accept(number, NOW - 1000, ["chat"])
        ledger.attempt(number, NOW - 999, "chat", Answered(200), Done())
    ledger.logs.page = 20

    def copied(_: int) -> None:
        with up_to_date("flagcast", Account(), lambda _: None, offline=False):
            pass

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(copied, range(4)))
    assert asked("deliveries", "--offline")["total"] == 300


def test_a_command_that_opens_a_ledger_waits_for_another_that_does(tmp_path: Path) -> None:
    # SQLite does not wait for a change to WAL: of commands that began at once, about one in fifty said
    # "database is locked".
    def opens() -> None:
        with opened(tmp_path / "one.sqlite"):
            pass

    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(opens)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        os.close(held)
        waiting.result(timeout=PATIENCE)


def test_clear_deletes_the_copy(ledger: LedgerStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.accept(1, NOW - 10, ["chat"])
    ledger.run("events")
    assert ledger.run("ledger", "clear") == 0
    assert list(the_file(tmp_path).parent.iterdir()) == []
    assert ledger.run("ledger", "clear") == 0
    assert "Nothing was copied" in capsys.readouterr().out
