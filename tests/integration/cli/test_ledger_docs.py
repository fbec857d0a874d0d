"""The answers in docs/operations.md are what the commands print."""

import re
import shlex

import pytest

from flagcast_cli.checkout import ROOT
from flagcast_cli.history.answers import Attempt, Delivery, Event, Happened, OneEvent
from flagcast_cli.history.destination_state import Destination, Source, Waiting
from tests.integration.cli.ledger_harness import LedgerStack, ledger
from tests.integration.cli.test_ledger_commands import happened, terminal
from tests.integration.cli.test_ledger_status import examined

__all__ = ["examined", "happened", "ledger", "terminal"]

PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## What happened\n")[2].partition("\n## ")[0]
BLOCKS = [found[1] for found in re.finditer(r"```text\n(\$ flagcast .*?)```\n", SECTION, re.DOTALL)]
COMMANDS = [block.splitlines()[0].removeprefix("$ flagcast ") for block in BLOCKS]


def test_there_are_ten_questions_at_least() -> None:
    assert len(COMMANDS) >= 10


@pytest.mark.usefixtures("terminal", "examined")
@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_shows_what_the_command_prints(
    happened: LedgerStack, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert happened.run(*shlex.split(command)) == 0
    printed = [each.rstrip() for each in capsys.readouterr().out.rstrip("\n").splitlines()]
    assert BLOCKS[COMMANDS.index(command)].splitlines()[1:] == printed


KINDS = (Event, Delivery, Attempt, OneEvent, Happened, Destination, Waiting, Source)


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.__name__)
def test_the_page_names_every_field_of_the_answers_as_json(kind: type) -> None:
    fields: tuple[str, ...] = getattr(kind, "__struct_fields__", ())
    assert [each for each in fields if f"`{each}`" not in SECTION] == []
