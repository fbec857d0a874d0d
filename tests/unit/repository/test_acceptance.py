"""The acceptance run: whatever happens, what was made is deleted; nothing is made unasked."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from samcli.commands.deploy.command import cli as sam_deploy

import tests.acceptance.__main__ as command
from flagcast_cli.console import CommandError
from flagcast_cli.main import app as flagcast
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.samconfig import chosen
from tests.acceptance import places
from tests.acceptance.__main__ import ask
from tests.acceptance.deleting import names
from tests.acceptance.places import FUNCTIONS, LAYERS, OnAws, configuration, release, write_samconfig
from tests.acceptance.receiver import TEMPLATE
from tests.acceptance.steps import Failed, Step, Where, carry_out, until

CapSys = pytest.CaptureFixture[str]


class Somewhere:
    """What steps are carried out on here: it notes what they did."""

    def __init__(self, *, is_aws: bool = True) -> None:
        self.is_aws = is_aws
        self.did: list[str] = []


def does(name: str, where: Where = Where.ANYWHERE) -> Step[Somewhere]:
    return Step(name, lambda on: on.did.append(name), where)


def fails(name: str, error: BaseException) -> Step[Somewhere]:
    def do(on: Somewhere) -> None:
        on.did.append(name)
        raise error

    return Step(name, do)


DELETES = (does("delete one"), does("delete another"))


def test_every_step_is_done_in_order_and_those_that_delete_come_last() -> None:
    on = Somewhere()
    assert carry_out([does("a"), does("b")], DELETES, on) == ["a", "b", "delete one", "delete another"] == on.did


def test_a_step_that_only_aws_can_do_is_not_done_elsewhere_and_said_to_be_left_out(capsys: CapSys) -> None:
    story = [does("a"), does("alarm", Where.AWS)]
    assert carry_out(story, DELETES, Somewhere(is_aws=False)) == ["a", "delete one", "delete another"]
    assert "- alarm (AWS alone)" in capsys.readouterr().out
    assert "alarm" in carry_out(story, DELETES, Somewhere())


def test_a_step_that_fails_ends_the_story_says_what_to_look_at_and_everything_is_deleted(capsys: CapSys) -> None:
    on = Somewhere()
    with pytest.raises(Failed, match="b"):
        carry_out([does("a"), fails("b", CommandError("it broke", "look here")), does("c")], DELETES, on)
    assert on.did == ["a", "b", "delete one", "delete another"]
    shown = capsys.readouterr().out
    assert "✓ a" in shown
    assert "✗ b" in shown
    assert "    it broke\n    look here\n" in shown


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError()])
def test_an_interrupt_and_what_was_not_expected_delete_everything_too(error: BaseException) -> None:
    on = Somewhere()
    with pytest.raises(type(error)):
        carry_out([fails("a", error), does("b")], DELETES, on)
    assert on.did == ["a", "delete one", "delete another"]


def test_what_cannot_be_deleted_keeps_nothing_else_from_being_deleted() -> None:
    on = Somewhere()
    deleting = [fails("first", CommandError("no")), fails("second", KeyboardInterrupt()), does("third")]
    with pytest.raises((Failed, KeyboardInterrupt)):
        carry_out([does("a")], deleting, on)
    assert on.did == ["a", "first", "second", "third"]


def test_what_is_waited_for_and_does_not_come_is_named_with_what_to_look_at() -> None:
    with pytest.raises(CommandError, match="it did not come: not within 0 s") as raised:
        until("it did not come", lambda: None, 0, "look here")
    assert raised.value.next_steps == ("look here",)


class Account1:
    """As much of a place as the question needs."""

    stack = "mine"

    def client(self, service: str) -> Any:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "123456789012"}

    @property
    def meta(self) -> Any:
        return type("Meta", (), {"region_name": "eu-west-1"})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_question_says_what_is_made_where_and_what_it_costs(capsys: CapSys) -> None:
    ask(Account1(), yes=True)  # type: ignore[arg-type]  # as much as it needs
    shown = capsys.readouterr().out
    for said in ("123456789012", "eu-west-1", *names("mine"), "$0.02", "flagcast-acceptance=mine"):
        assert said in shown


@pytest.mark.parametrize(
    ("terminal", "says"),
    [(io.StringIO("y\n"), "no terminal"), (Terminal("n\n"), "nothing was made"), (Terminal("\n"), "nothing was made")],
)
def test_without_a_yes_nothing_is_made(monkeypatch: pytest.MonkeyPatch, terminal: io.StringIO, says: str) -> None:
    monkeypatch.setattr(sys, "stdin", terminal)
    with pytest.raises(CommandError, match=says):
        ask(Account1(), yes=False)  # type: ignore[arg-type]  # as much as it needs


def test_a_yes_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    ask(Account1(), yes=False)  # type: ignore[arg-type]  # as much as it needs


def test_nothing_is_made_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def refuse(*_: object, **__: object) -> None:
        order.append("asked")
        raise CommandError("nothing was made")

    monkeypatch.setattr(command, "require_nothing_there", lambda place: order.append("looked"))
    monkeypatch.setattr(command, "ask", refuse)
    monkeypatch.setattr(command, "tried", lambda *_, **__: order.append("made"))
    with pytest.raises(CommandError):
        command.acceptance(stack="mine", account=Account(region="eu-west-1"))
    assert order == ["looked", "asked"]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that a run on an account would run; none of them is."""
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(places, "run", lambda *words: commands.append(words))
    monkeypatch.setattr(places, "release", lambda built: None)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    return commands


def test_every_command_that_a_run_on_an_account_gives_is_one_that_the_command_line_and_sam_know(
    ran: list[tuple[str, ...]], tmp_path: Path
) -> None:
    place = OnAws("mine", Account(region="eu-west-1"), tmp_path)
    config = str(configuration(place, {"queue": "arn:aws:sqs:eu-west-1:123456789012:q.fifo"}))
    place.deploy(Path(config), {"MaximumConcurrency": "2"})
    place.upgrade(Path(config), {})
    place.flagcast("archive", "verify", "--json", "--stack", "mine", "--config", config)
    place.flagcast("dlq", "list", "--stack", "mine", "--json")
    place.flagcast("dlq", "redrive", "--yes", "--stack", "mine", "--config", config)
    assert [words[:2] for words in ran] == [
        ("flagcast", "deploy"),
        ("flagcast", "build"),
        ("sam", "deploy"),
        ("flagcast", "doctor"),
        ("flagcast", "archive"),
        ("flagcast", "dlq"),
        ("flagcast", "dlq"),
    ]
    known = {option for each in sam_deploy.params for option in (*each.opts, *each.secondary_opts)}
    for program, *words in ran:
        if program == "flagcast":
            flagcast.parse_args(words, exit_on_error=False, print_error=False)
            assert ("--region" in words) == (words[0] != "build")
        given = words if program == "sam" else words[words.index("--") :] if "--" in words else []
        assert {word for word in given if word.startswith("--") and word != "--"} <= known


def test_flagcast_deploy_reads_the_stack_its_tag_and_its_parameters_from_what_the_run_writes(tmp_path: Path) -> None:
    path = write_samconfig(tmp_path, "mine", {"MaximumConcurrency": "2", "LogRetentionDays": "1"})
    environment = chosen(path, None, "mine")
    assert (environment.name, environment.stack) == ("default", "mine")
    assert environment.parameters == {"MaximumConcurrency": "2", "LogRetentionDays": "1"}
    assert 'tags = "flagcast-acceptance=mine"' in path.read_text()


def test_an_upgrade_changes_what_aws_takes_for_the_code_of_both_functions_and_of_their_layers(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in (*FUNCTIONS, *(f"{layer}/python" for layer in LAYERS))]
    for folder in folders:
        folder.mkdir(parents=True)
    release(tmp_path)
    assert all(list(folder.iterdir()) for folder in folders)


def receiver() -> dict[str, Any]:
    from samtranslator.yaml_helper import yaml_parse

    document: dict[str, Any] = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    return document


def test_the_receivers_template_is_one_that_cloudformation_takes() -> None:
    assert [str(each) for each in lint(TEMPLATE.read_text(encoding="utf-8"))] == []


def test_the_receivers_address_has_both_permissions_that_aws_asks_for() -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html: both since October 2025, else a 403."""
    granted = [each["Properties"] for each in receiver()["Resources"].values() if each["Type"].endswith("::Permission")]
    assert {
        (each["Action"], each.get("FunctionUrlAuthType"), each.get("InvokedViaFunctionUrl")) for each in granted
    } == {
        ("lambda:InvokeFunctionUrl", "NONE", None),
        ("lambda:InvokeFunction", None, True),
    }
    assert {each["Principal"] for each in granted} == {"*"}


def test_the_receiver_is_deleted_as_a_whole_with_its_stack() -> None:
    policies = {each.get("DeletionPolicy", "Delete") for each in receiver()["Resources"].values()}
    assert policies == {"Delete"}
