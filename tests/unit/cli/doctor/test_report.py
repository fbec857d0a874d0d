import json

import pytest

from flagcast_cli.doctor.endpoint_checks import check_health
from flagcast_cli.doctor.facts import Answer, Where
from flagcast_cli.doctor.finding import Finding
from flagcast_cli.doctor.report import as_text, rollback, show, summary
from flagcast_cli.doctor.stack_checks import check_event_source
from tests.unit.doctor_facts import STACK, WHERE, facts

WELL, NOTE = (
    Finding("stack", "ok", "UPDATE_COMPLETE"),
    Finding("alarm topic", "note", "no one is notified", ("Deploy.",)),
)
UNKNOWN = Finding("alarms", "unknown", "could not check: AccessDenied", ("Sign in.",))
ILL = Finding("dead letters", "ill", "3", ("flagcast dlq list",))
BROKEN = Finding("health", "ill", "answers 500", ("aws logs tail",), by_deploy=True)


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ((WELL, NOTE), "No problem found."),
        ((WELL, ILL), "1 problem"),
        ((BROKEN, ILL), "2 problems"),
        ((UNKNOWN,), "1 could not be checked"),
        ((UNKNOWN, ILL), "1 problem, 1 could not be checked"),
    ],
)
def test_one_line_says_what_it_comes_to(findings: tuple[Finding, ...], said: str) -> None:
    assert summary(findings) == said


def test_the_commands_that_roll_back_are_shown_for_what_a_deploy_may_have_brought_alone() -> None:
    assert rollback(WHERE, (WELL, ILL, UNKNOWN)) == ()
    commands = [line.strip() for line in rollback(WHERE, (WELL, BROKEN))]
    assert "git checkout COMMIT -- layers functions template.yaml" in commands
    assert f"make deploy STACK={STACK} REGION=eu-central-1" in commands


def test_the_command_that_rolls_back_deploys_what_was_deployed() -> None:
    # It left CONFIG out: typing it deployed the checkout's configuration, which has no destination, over their
    # own. Every event was answered 200 and went nowhere, and the doctor called it well.
    where = Where(STACK, "eu-central-1", "on call", "/srv/our flagcast/flagcast.yaml")
    command = (
        f"make deploy STACK={STACK} REGION=eu-central-1 PROFILE='on call' CONFIG='/srv/our flagcast/flagcast.yaml'"
    )
    assert rollback(where, (BROKEN,))[-1].strip() == command
    (line,) = check_event_source(facts(where=where, event_source=None))
    assert line.next == (command,)
    (line,) = check_health(facts(where=where, health=Answer("https://x/health", 503, "")))
    assert line.next[0] == "flagcast check --config '/srv/our flagcast/flagcast.yaml'"


def test_a_line_says_what_was_found_and_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    show(facts(), (WELL, NOTE, BROKEN), as_json=False)
    shown = capsys.readouterr().out.splitlines()
    assert shown[:5] == [
        "✓ stack              UPDATE_COMPLETE",
        "! alarm topic        no one is notified",
        "    Deploy.",
        "✗ health             answers 500",
        "    aws logs tail",
    ]
    assert shown[5] == "1 problem"
    assert shown[6].startswith("If the last deploy caused this")


def test_what_was_found_is_never_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show(facts(), (Finding("probe", "ill", "[red]answers[/] :warning:", ("[bold]",)),), as_json=False)
    shown = capsys.readouterr().out
    assert "[red]answers[/] :warning:" in shown
    assert "    [bold]" in shown


def test_as_json_it_is_one_object_with_the_exit_code() -> None:
    whole = json.loads(as_text(WHERE, (WELL, BROKEN)))
    assert (whole["stack"], whole["region"], whole["exit_code"]) == (STACK, "eu-central-1", 1)
    assert whole["findings"][1] == {
        "check": "health", "level": "ill", "found": "answers 500", "next": ["aws logs tail"],
    }  # fmt: skip
    assert len(whole["rollback"]) == 3
