"""`flagcast check` and `flagcast send` in a process of their own: what they print, and their exit codes."""

from pathlib import Path

import pytest

from tests.support.command_line import flagcast


def test_send_says_what_is_wrong_with_its_file_or_address(tmp_path: Path) -> None:
    shown = flagcast("send", str(tmp_path / "none.json"), "--url", "http://127.0.0.1:1/", "--secret", "x")
    assert shown.returncode == 2
    assert "No such file" in shown.stderr
    shown = flagcast("send", "--url", "http://127.0.0.1:1/", FLAGCAST_SIGNING_SECRET="x")
    assert shown.returncode == 2
    assert "did not answer" in shown.stderr


def test_check_lists_every_problem_with_its_path_and_exits_1(tmp_path: Path) -> None:
    bad = tmp_path / "flagcast.yaml"
    bad.write_text(
        """
sources:
  flipt: {signing_secrets: [plain-secret]}
destinations:
  chat: {url: "https://x.example", timeout: 31s, body: '{"text": {{ event.typo }}}'}
  syntax: {url: "https://x.example", body: '{{ event.type'}
  denied: {url: "https://x.example", events: ["flag:deleted"], body: '"{{ event.payload.key }}"'}
  quoted: {url: "https://x.example", events: ["flag:created"], escape: none, body: '"{{ event.payload.name }}"'}
"""
    )
    good_sources = bad.read_text().replace("[plain-secret]", '["${secret:x}"]')
    shown = flagcast("check", "--config", str(bad))
    assert shown.returncode == 1
    assert "sources.flipt.signing_secrets[0]: expected one reference" in shown.stderr
    assert "plain-secret" not in shown.stderr
    bad.write_text(good_sources)
    shown = flagcast("check", "--config", str(bad))
    assert shown.returncode == 1
    for problem in (
        "destinations.chat.timeout: 31s is not allowed; use more than 0s and at most 30s",
        "flagcast.yaml:5:56: destinations.chat.body: event has no typo",
        "flagcast.yaml:6:44: destinations.syntax.body: ",
        "flagcast.yaml:7:70: destinations.denied.body: 'None' has no attribute 'key' (on sample flag-deleted-denied)",
        "flagcast.yaml:8:84: destinations.quoted.body: the result is not JSON: ",
    ):
        assert problem in shown.stderr, shown.stderr


def test_check_finds_nothing_wrong_with_what_is_shipped() -> None:
    for path in ("layers/config/flagcast.yaml", "cli/flagcast_cli/local/demo/flagcast.yaml", "tests/e2e/flagcast.yaml"):
        shown = flagcast("check", "--config", path)
        assert (shown.returncode, "no problems" in shown.stdout) == (0, True), path


def test_check_warns_of_an_expression_that_is_never_true_and_exits_0(tmp_path: Path) -> None:
    path = tmp_path / "flagcast.yaml"
    keys = "{url: 'https://x.example', when: event.type == 'flags'}"
    path.write_text(f"sources: {{flipt: {{auth: none}}}}\ndestinations: {{d: {keys}}}\n")
    shown = flagcast("check", "--config", str(path))
    assert shown.returncode == 0
    assert "warning: destinations.d.when: is true for none of the " in shown.stderr
    assert "no problems" in shown.stdout


def test_check_tries_templates_even_where_no_source_is_right(tmp_path: Path) -> None:
    # Nothing was tried, and a broken template passed.
    path = tmp_path / "flagcast.yaml"
    path.write_text('sources: {}\ndestinations: {d: {url: "https://x.example", body: "{{ event.nope }}"}}\n')
    shown = flagcast("check", "--config", str(path))
    assert (shown.returncode, "event has no nope" in shown.stderr) == (1, True)
    missing = flagcast("check", "--config", str(tmp_path / "none.yaml"))
    assert "no such file" in missing.stderr


@pytest.mark.parametrize("words", [["{}"], ["render", "--{}"], ["dlq", "{}"], ["events", "--limit", "{}"]])
def test_a_word_that_no_command_knows_is_printed_so_that_no_terminal_obeys_it(words: list[str]) -> None:
    # The parser of the command line printed what it did not know as it was, past the one printer.
    pasted = "\x1b]8;;http://evil.example\x1b\\\x9b2J\u202e\u2066[red]"
    shown = flagcast(*(each.format(pasted) for each in words))
    assert shown.returncode != 0
    assert r"\u202e\u2066[red]" in shown.stdout + shown.stderr
    assert (shown.stdout + shown.stderr).replace("\n", "").isprintable()
