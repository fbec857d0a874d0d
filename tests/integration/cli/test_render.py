import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flagcast_cli.console import CommandError
from flagcast_cli.preview.request_text import Asked, watch_preview
from flagcast_cli.samples import sample, sample_files
from tests.integration.cli.conftest import Run

Configured = Callable[[str], Path]

CHAT = """
    url: ${secret:slack#webhook_url}
    headers: {Authorization: "Bearer ${ssm:chat-token}", X-Who: "{{ event.actor }}"}
    vars: {room: "${env:FLAGCAST_VAR_ROOM}"}
    sign: {scheme: standard-webhooks, secret: "${secret:signing}"}
    when: not event.is_denied
    body: '{"text": "{{ event.actor }} {{ event.verb_phrase }}", "room": "{{ vars.room }}"}'
"""


def test_a_request_is_printed_with_the_names_of_its_secrets_and_no_value(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGCAST_VAR_ROOM", "canary")
    assert run("render", "d", "flag-updated-by-person", "--config", configured(CHAT)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "POST ${secret:slack#webhook_url}"
    assert "Authorization: Bearer ${ssm:chat-token}" in lines
    assert "Webhook-Signature: ***" in lines
    assert 'X-Who: Zoë "Z" O\'Brien' in lines
    body = json.loads("\n".join(lines[lines.index("") :]))
    assert body["room"] == "${env:FLAGCAST_VAR_ROOM}"
    assert body["text"].endswith("updated")


def test_the_sample_is_a_flag_updated_unless_another_is_named(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configured(
        '    url: https://a\n    body: "{{ event.type }} {{ event.action }}"\n    content_type: text/plain\n'
    )
    assert run("render", "d", "--config", config) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "flag updated"
    assert run("render", "d", sample("token", "deleted"), "--config", config) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "token deleted"


def test_a_body_of_more_brackets_than_json_is_read_into_is_printed_as_it_is(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    # Rendering did not mind, and printing ended in a RecursionError.
    config = configured("    url: https://a\n    body: \"{{ '[' * 100000 }}\"\n    content_type: text/plain\n")
    assert run("render", "d", "--config", config) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "[" * 100_000


@pytest.mark.parametrize(("option", "said"), [([], "Someone updated"), (["--changes"], "Someone turned on")])
def test_what_changed_is_shown_where_it_is_asked_for(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str], option: list[str], said: str
) -> None:
    config = configured('    url: https://a\n    body: "{{ summary.title }}"\n    content_type: text/plain\n')
    assert run("render", "d", "flag-updated", *option, "--config", config) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(said)
    assert run("render", "d", "--all", *option, "--config", config) == 0
    assert said in capsys.readouterr().out


def test_what_filters_turn_down_is_said_to_be_not_sent(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", "d", "flag-deleted-denied", "--config", configured(CHAT)) == 0
    assert capsys.readouterr().out.startswith("not sent")


@pytest.mark.parametrize(
    ("more", "event", "said"),
    [
        ("", "flag-updated", "`events` accepts this event"),
        ("    when: not event.is_denied\n", "flag-updated", "`events` and `when` accept this event"),
        ("    when: event.is_denied\n", "flag-updated", "`when` rejects this event"),
        ("    when: event.is_denied\n    events: ['token:*']\n", "flag-updated", "`events` rejects this event"),
    ],
)
def test_it_is_said_which_of_events_and_when_decides(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str], more: str, event: str, said: str
) -> None:
    assert run("render", "d", event, "--config", configured(f"    url: https://a\n{more}")) == 0
    printed = capsys.readouterr()
    assert said in (printed.err if "accept" in said else printed.out)


def test_exact_prints_the_bytes_of_the_body_and_nothing_else(
    configured: Configured, run: Run, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    body = '    url: https://a\n    content_type: text/plain\n    body: "{{ event.type }}\\t\\u001b\\u00e9"\n'
    assert run("render", "d", "--exact", "--config", configured(body)) == 0
    printed = capfdbinary.readouterr()
    assert (printed.out, printed.err) == ("flag\t\x1bé".encode(), b"")


@pytest.mark.parametrize(
    ("more", "message"),
    [("    when: event.is_denied\n", "nothing is sent: `when` rejects"), ("    body: '{{ nope }}'\n", "'nope' is und")],
)
def test_exact_prints_nothing_of_what_is_not_sent(configured: Configured, run: Run, more: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("render", "d", "--exact", "--config", configured(f"    url: https://a\n{more}"))


@pytest.mark.parametrize("words", [("flag-updated", "--all"), ("--all", "--exact")])
def test_options_that_contradict_each_other_are_refused(
    configured: Configured, run: Run, words: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError, match="contradict each other"):
        run("render", "d", *words, "--config", configured("    url: https://a\n"))


def test_watching_prints_the_message_again_on_every_save_until_it_is_interrupted(
    configured: Configured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "templates").mkdir()
    template = tmp_path / "templates" / "d.j2"
    template.write_text("first", encoding="utf-8")
    config = configured("    url: https://a\n    content_type: text/plain\n    template: d.j2\n")
    contents = iter(["second one", None, "{{ not closed", "third time"])
    event = tmp_path / "event.json"
    event.write_bytes(sample("flag", "updated").read_bytes())

    def save() -> None:
        """Save something else at each look, and press Ctrl-C at the end."""
        match next(contents, ""):
            case "":
                raise KeyboardInterrupt
            case None:
                event.write_text('{"type": "flag"}', encoding="utf-8")
            case str(text):
                event.write_bytes(sample("flag", "updated").read_bytes())
                template.write_text(text, encoding="utf-8")

    assert watch_preview(Asked(config, "d", str(event)), save) == 0
    printed = capsys.readouterr()
    assert [line for line in printed.out.splitlines() if line in ("first", "second one", "third time")] == [
        "first", "second one", "third time",
    ]  # fmt: skip
    assert printed.out.count(" d /") == 5
    assert "error: destination d has problems" in printed.err
    assert "is not an event" in printed.err


def test_every_sample_is_printed_one_after_the_other(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("render", "d", "--all", "--config", configured("    url: https://a\n    preset: json\n")) == 0
    printed = capsys.readouterr().out
    assert all(f"{path.stem} ─" in printed for path in sample_files())


def test_one_sample_that_cannot_be_rendered_fails_them_all(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configured('    url: https://a\n    body: \'{"key": "{{ event.payload.key }}"}\'\n')
    assert run("render", "d", "--all", "--config", config) == 1
    assert "body, line 1: 'None' has no attribute 'key'" in capsys.readouterr().out
    assert run("render", "d", "flag-updated", "--config", config) == 0


def test_a_file_that_is_no_event_is_said_to_be_none(configured: Configured, run: Run, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"type": "flag"}')
    with pytest.raises(CommandError, match="is not an event: no action"):
        run("render", "d", body, "--config", configured("    url: https://a\n"))


@pytest.mark.parametrize(
    ("words", "message", "step"),
    [
        (("render", "e"), "has no destination e", "There are: d."),
        (("render", "dd"), "has no destination dd", "Did you mean d?"),
        (("render", "d", "flag-updatd"), "neither a sample nor a file", "Did you mean flag-updated"),
        (("render", "d", "zzz"), "neither a sample nor a file", "For example"),
        (("test", "e"), "has no destination e", "There are: d."),
    ],
)
def test_a_name_that_is_not_there_is_met_with_those_that_are(
    configured: Configured, run: Run, words: tuple[str, ...], message: str, step: str
) -> None:
    config = configured("    url: https://a\n")
    with pytest.raises(CommandError, match=message) as raised:
        run(*words, "--config", config)
    assert raised.value.next_steps[0].startswith(step)


@pytest.mark.parametrize(
    ("destination", "step"),
    [
        ("    url: ftp://a\n", "destinations.d.url: "),
        ("    url: https://a\n    body: '{{'\n", "destinations.d.body: body, line 1: "),
        ("    preset: slack\n", "destinations.d.url: is required by preset slack: "),
    ],
)
def test_a_destination_with_problems_is_not_rendered(
    configured: Configured, run: Run, destination: str, step: str
) -> None:
    with pytest.raises(CommandError, match="destination d has problems") as raised:
        run("render", "d", "--config", configured(destination))
    assert raised.value.next_steps[0].startswith(step)


def test_a_configuration_that_cannot_be_read_is_said_to_be_unreadable(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("render", "d", "--config", tmp_path / "none.yaml")


def test_the_presets_are_listed_with_what_they_need(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("presets") == 0
    printed = capsys.readouterr().out
    for name in ("slack", "microsoft-teams", "pagerduty-change", "cloudevents-binary", "json"):
        assert name in printed
    assert "vars.routing_key" in printed


@pytest.mark.parametrize(
    ("url", "first", "line"),
    [
        ("arn:aws:sqs:eu-west-1:111122223333:q.fifo", "sqs:SendMessage", "MessageGroupId: "),
        ("arn:aws:sqs:eu-west-1:111122223333:q", "sqs:SendMessage", "Webhook-Id: evt_flag-updated"),
        ("arn:aws:sns:eu-west-1:111122223333:t", "sns:Publish", "X-Token: ${ssm:token}"),
        ("arn:aws:events:eu-west-1:111122223333:event-bus/b", "events:PutEvents", "DetailType: flag:updated"),
        ("arn:aws:s3:::bucket/flags", "s3:PutObject", "Key: flags/flipt/2026/"),
    ],
)
def test_what_an_aws_service_would_be_sent_is_printed_by_its_own_names(
    configured: Configured, run: Run, capsys: pytest.CaptureFixture[str], url: str, first: str, line: str
) -> None:
    headers = "" if "events" in url else "    headers: {X-Token: '${ssm:token}'}\n"
    config = configured(f"    url: {url}\n{headers}    body: '{{\"key\": {{{{ event.flag_key }}}}}}'\n")
    assert run("render", "d", "flag-updated", "--config", config) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{first} {url}"
    assert any(each.startswith(line) for each in lines), lines
    assert json.loads("\n".join(lines[lines.index("") :])).keys() == {"key"}
    assert run("render", "d", "flag-updated", "--exact", "--config", config) == 0
