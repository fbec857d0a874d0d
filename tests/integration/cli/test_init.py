"""`flagcast init`: a first configuration from three questions, and the shell's completion."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flagcast.edges.runtime.configuration_file import read_configuration, read_presets
from flagcast_cli.check.problems import everything_about
from flagcast_cli.checkout import CONFIGURATION
from flagcast_cli.console import CommandError, out
from flagcast_cli.init.command import ENVIRONMENT, FLIPT_URL, PRESET, init
from tests.support.command_line import flagcast

SLACK = """\
# What Flagcast receives, and where it sends it. Check it with `flagcast check`.
# This file has names of secrets, never secrets: ${secret:NAME} is looked up in Secrets Manager under
# flagcast/<stack>/. Every key is in docs/configuration.md.

sources:
  # POST https://.../webhooks/flipt, signed by Flipt with the secret that the stack generates.
  flipt:
    signing_secrets: ["${secret:flipt-signing-secret}"]
    environment: staging
    flipt_url: https://flipt.example.com

destinations:
  # Slack, by an incoming webhook (Block Kit)
  slack:
    preset: slack
    # The webhook's address, which is a secret. Store it and write ${secret:slack#webhook_url}
    url: ${secret:slack#webhook_url}
    # events: ["flag:*", "rollout:*"]  # all events without it
    # when: event.namespace == 'production'
"""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Answer each question at a terminal, by its text."""
    given: dict[str, str] = {}

    def answer(prompt: str) -> str:
        return next(each for text, each in given.items() if prompt.startswith(text))

    monkeypatch.setattr(out, "input", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    return given


def test_three_answers_make_a_file_that_is_ready_to_be_checked(tmp_path: Path, answers: dict[str, str]) -> None:
    answers |= {PRESET.text: "slack", ENVIRONMENT.text: "staging", FLIPT_URL.text: "https://flipt.example.com"}
    assert init(tmp_path / "new") == 0
    file = tmp_path / "new" / "flagcast.yaml"
    assert file.read_text(encoding="utf-8") == SLACK
    assert everything_about(file) == []


def test_enter_alone_takes_what_the_question_shows(tmp_path: Path, answers: dict[str, str]) -> None:
    answers |= {PRESET.text: "", ENVIRONMENT.text: "", FLIPT_URL.text: ""}
    assert init(tmp_path) == 0
    made = read_configuration(tmp_path / "flagcast.yaml")
    assert list(made.destinations) == ["slack"]
    assert getattr(made.sources["flipt"], "environment", None) == "production"


@pytest.mark.parametrize("preset", sorted(read_presets()))
def test_what_any_preset_needs_is_there_to_be_filled_in(tmp_path: Path, preset: str) -> None:
    assert init(tmp_path, preset=preset, environment="e") == 0
    assert everything_about(tmp_path / "flagcast.yaml") == []


def test_an_answer_that_yaml_would_read_as_something_else_stays_what_it_is(tmp_path: Path) -> None:
    init(tmp_path, preset="slack", environment="yes: #1", flipt_url="")
    source = read_configuration(tmp_path / "flagcast.yaml").sources["flipt"]
    assert getattr(source, "environment", None) == "yes: #1"


@pytest.mark.parametrize("there", ["destinations: {a: {url: https://a.example.com}}", "destinations: ["])
def test_work_that_is_there_is_replaced_only_by_force(tmp_path: Path, there: str) -> None:
    file = tmp_path / "flagcast.yaml"
    file.write_text(there, encoding="utf-8")
    with pytest.raises(CommandError, match=r"flagcast\.yaml exists already"):
        init(tmp_path, preset="slack")
    assert file.read_text(encoding="utf-8") == there
    assert init(tmp_path, preset="slack", force=True) == 0
    assert "preset: slack" in file.read_text(encoding="utf-8")


def test_the_file_without_destinations_that_the_checkout_has_is_replaced(tmp_path: Path) -> None:
    shutil.copy(CONFIGURATION, tmp_path)
    assert init(tmp_path, preset="slack") == 0


def test_a_preset_that_there_is_not_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no preset slak") as error:
        init(tmp_path, preset="slak")
    assert error.value.next_steps == ("did you mean slack?",)
    assert not (tmp_path / "flagcast.yaml").exists()


def test_without_a_terminal_the_options_are_named(tmp_path: Path) -> None:
    made = flagcast("init", str(tmp_path))
    assert made.returncode == 2
    assert made.stderr == (
        "error: there is no terminal to ask questions on\n  Give --preset, --environment and --flipt-url.\n"
    )


def bash_offers(home: Path, words: str) -> Iterator[str]:
    """Ask bash what the Tab key offers after these words."""
    script = next(home.rglob("completions/flagcast"))
    program = (
        f"source {script}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1));"
        "$(complete -p flagcast | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    yield from subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True).stdout.split()


def test_the_shell_completes_commands_once_it_is_told_to(tmp_path: Path) -> None:
    installed = flagcast("--install-completion", HOME=str(tmp_path), SHELL="/bin/bash")
    assert installed.returncode == 0, installed.stderr
    assert sorted(bash_offers(tmp_path, "flagcast de")) == ["deliveries", "demo", "deploy", "dev"]
