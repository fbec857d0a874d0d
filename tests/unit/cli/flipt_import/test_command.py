"""`flagcast import-flipt`: what a person runs, and what they see."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flagcast.config.read import read
from flagcast_cli.console import CommandError
from flagcast_cli.flipt_import.command import import_flipt

Run = Callable[..., tuple[int, str, str]]

SLACK_URL = "https://hooks.slack.com/services/T0/B0/canary"

# Flipt's documented sample: https://docs.flipt.io/v1/configuration/auditing/webhooks
SAMPLE = """\
audit:
  sinks:
    webhook:
      enabled: true
      templates:
        - url: https://example.com
          method: POST
          headers:
            Content-Type: application/json
          body: |
            {
              "type": "{{ .Type }}",
              "action": "{{ .Action }}"
              "payload": {{ toJson .Payload }}
            }
"""
# Flipt's documented sample for Slack.
SLACK = f"""\
audit:
  sinks:
    webhook:
      enabled: true
      templates:
        - url: {SLACK_URL}
          headers:
            Content-Type: application/json
          body: |
            {{
              "text": "Flipt Event: {{{{ .Type }}}}/{{{{ .Action }}}}\\n\\n```{{{{ .Payload }}}}```"
            }}
"""
# https://github.com/flipt-io/flipt/blob/v1.61.1/examples/audit/webhook/flipt.config.yml
EXAMPLE = """\
log:
  level: debug

audit:
  events:
    - flag:created
    - flag:updated
  sinks:
    webhook:
      enabled: true
      templates:
        - url: http://webhook:8081/
          method: POST
          body: |
            {
              "event": "{{ .Type }} {{ .Action }}",
              "timestamp": "{{ .Timestamp }}"
            }
"""
EVERYTHING = """\
version: "1.0"
tracing: {enabled: true, sampling_ratio: 0.1}
audit:
  events: ["flag:*", "banner:created"]
  buffer: {capacity: 5, flush_period: 3m}
  sinks:
    log: {enabled: true}
    webhook:
      enabled: true
      max_backoff_duration: 15s
      signing_secret: canary-signing
      templates:
        - url: https://hooks.slack.com/services/T0/B0/canary-slack
          body: '{"text": "{{ .Type }} :warning:"}'
        - url: https://bob:canary-password@audit.example.com/in
          headers:
            X-Api-Key: canary-key
            X-Team: platform
            Cookie: session=canary-cookie
            Content-Type: application/json; charset=utf-8
          body: |
            {"type": {{ toJson .Type }}}
        - url: https://example.com/in?token=canary-token
          headers: {Authorization: Bearer canary-bearer, X-From: "${FROM}"}
          body: '{"a": 1}'
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(
        text: str,
        *,
        output: Path | None = None,
        force: bool = False,
        stack: str = "flagcast",
        secret: str | None = None,
        **environ: str,
    ) -> tuple[int, str, str]:
        path = tmp_path / "flipt.yml"
        path.write_text(text, encoding="utf-8")
        code = import_flipt(path, environ=environ, output=output, force=force, stack=stack, secret=secret)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_comma_that_flipts_sample_lacks_is_reported_with_line_and_column(run: Run) -> None:
    code, written, said = run(SAMPLE)
    assert code == 1
    assert (
        "destinations.example-com.body: body: the result is not JSON: Expecting ',' delimiter at line 4, column 3"
        in said
    )
    assert '"action": "{{ .Action }}"\n' in written, "what can be written still is"


def test_flipts_slack_sample_imports_with_no_problems(run: Run) -> None:
    code, written, said = run(SLACK)
    assert (code, "To fix" in said) == (0, False)
    assert read(written).problems == ()
    assert "url: ${secret:slack}" in written
    assert '```{{ .Payload }}```"\n' in written


def test_flipts_own_example_imports_with_a_note_on_http(run: Run) -> None:
    code, written, said = run(EXAMPLE)
    assert code == 0
    assert 'events: ["flag:created", "flag:updated"]' in written
    assert "allow_http: true" in written
    assert "audit.sinks.webhook.templates[0].url: is not https" in said


def test_a_file_with_everything_is_written_right(run: Run) -> None:
    code, written, said = run(EVERYTHING, FROM="flipt")
    assert (code, read(written).problems) == (0, ())
    assert list(read(written).destinations) == ["slack", "audit-example-com", "example-com"]
    assert "signing_secret: left out, because Flipt never signs in templates mode" in said
    assert "tracing.sampling_ratio: is not 1, so Flipt drops some of the audit events, too" in said
    assert "1.61.1 sends no event" not in said, "this one traces already"


def test_no_credential_is_shown(run: Run) -> None:
    _, written, said = run(EVERYTHING, FROM="canary-from")
    assert "canary" not in written + said


ODD_PLACES = """\
audit:
  sinks:
    webhook:
      enabled: true
      templates:
        - url: https://canaryhost.tunnel.example.com/canarypath/canary-dashes?t=canaryquery#canaryfragment
          headers: {X-Odd: canary words, Accept: "https://u:canary@a.example.com", X-Canary2: "a ${canary}"}
          body: |
            {"auth": "canary", "key": "canary", "pin": 123456, "u": "https://a.example.com/canary/{{ .Type }}",
             "text": "password: canary{{ .Action }}", "id": "{{ .Type }}canary0123456789"}
        - url: https://relay.internal/canary
          body: 'token=canary&text={{ "canary0123456789" }}'
          headers: {Content-Type: text/plain}
        - url: https://a.example.com/x
          body: '{"broken": "canary0123456789" {{ .Type '
"""


def test_no_credential_is_shown_from_the_oddest_places(run: Run) -> None:
    # Half of these were: in bodies, paths of letters, a subdomain, `?t=`, a fragment, headers of unknown names.
    _, written, said = run(ODD_PLACES)
    shown = (written + said).replace("X-Canary2", "").replace("x_canary2", "")
    assert "canary" not in shown
    assert "123456" not in shown


def test_no_credential_is_shown_in_url_mode(run: Run) -> None:
    text = "audit: {sinks: {webhook: {enabled: true, url: 'https://u:canary@a.example.com', signing_secret: canary}}}"
    code, written, said = run(text)
    assert (code, read(written).problems) == (0, ())
    assert "canary" not in written + said
    assert "in place of templates" not in said


def test_each_secret_has_the_command_that_stores_it_and_the_command_its_value(run: Run, tmp_path: Path) -> None:
    _, _, said = run(EVERYTHING, stack="flagcast-staging")
    path = tmp_path / "flipt.yml"
    for name in ("slack", "audit-example-com", "example-com"):
        assert (
            f"flagcast import-flipt {path} --secret {name} | aws secretsmanager create-secret "
            f"--region REGION --name flagcast/flagcast-staging/{name} --secret-string file:///dev/stdin\n"
        ) in said
    assert (
        "--secret example-com | " in said.partition("# set FROM to the value that it has for Flipt")[0].splitlines()[-2]
    )
    assert run(EVERYTHING, secret="slack") == (0, "https://hooks.slack.com/services/T0/B0/canary-slack", "")
    code, value, said = run(EVERYTHING, secret="example-com", FROM="flipt")
    assert (code, said) == (0, "")
    assert json.loads(value) == {
        "url": "https://example.com/in?token=canary-token", "authorization": "canary-bearer", "x_from": "flipt",
    }  # fmt: skip


def test_a_secret_is_not_shown_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    with pytest.raises(CommandError, match="a secret is not shown on a terminal"):
        run(SLACK, secret="slack")
    assert terminal.getvalue() == ""


def test_a_secret_that_is_not_there_is_said_with_those_that_are(run: Run) -> None:
    with pytest.raises(CommandError, match="the file has no secret teams") as raised:
        run(SLACK, secret="teams")
    assert raised.value.next_steps == ("There are: slack.",)
    with pytest.raises(CommandError) as raised:
        run(EXAMPLE, secret="teams")
    assert raised.value.next_steps == ("There are: none.",)


def test_a_secret_of_a_variable_that_is_not_set_is_said(run: Run) -> None:
    with pytest.raises(CommandError, match=r"headers\.X-From is \$\{FROM\}, and FROM is not set here"):
        run(EVERYTHING, secret="example-com")


def test_what_is_printed_is_the_file_byte_for_byte(run: Run) -> None:
    # Rich replaces :warning: by a picture, drops what looks like markup and expands tabs.
    _, written, _ = run(SLACK.replace("Flipt Event", ":warning: [bold]\tFlipt"))
    assert ":warning: [bold]\tFlipt" in written


def test_the_new_configuration_of_flipt_is_shown(run: Run) -> None:
    _, _, said = run(SLACK)
    assert "url: https://...             # output WebhookUrl of the stack, instead of templates" in said
    assert "It signs only in url mode" in said
    assert "1.61.1 sends no event of the UI and the REST API without it" in said
    advice = said[said.index("   audit:\n") :]
    assert [line.strip().partition(":")[0] for line in advice.splitlines()] == [
        "audit", "events", "sinks", "webhook", "enabled", "url", "signing_secret", "buffer", "capacity",
        "flush_period", "tracing", "enabled",
    ]  # fmt: skip


def test_variables_that_stand_over_the_file_are_to_be_changed_in_flipt_too(run: Run) -> None:
    _, written, said = run("", FLIPT_AUDIT_SINKS_WEBHOOK_URL="https://a.example.com", FLIPT_AUDIT_EVENTS="flag:*")
    assert 'events: ["flag:*"]' in written
    assert "so change or unset FLIPT_AUDIT_EVENTS, FLIPT_AUDIT_SINKS_WEBHOOK_URL." in said


def test_a_file_is_written_and_never_over_another_unless_told(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "flagcast.yaml"
    code, written, said = run(SLACK, output=output)
    assert (code, written) == (0, "")
    assert f"flagcast check {output} --stack flagcast --region REGION\n" in said
    assert f"make deploy STACK=flagcast REGION=REGION CONFIG={tmp_path}\n" in said
    first = output.read_text(encoding="utf-8")
    assert read(first).problems == ()
    with pytest.raises(CommandError, match=r"flagcast\.yaml exists already"):
        run(EXAMPLE, output=output)
    assert output.read_text(encoding="utf-8") == first
    run(EXAMPLE, output=output, force=True)
    assert "webhook:8081" in output.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_said(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file or directory"):
        run(SLACK, output=tmp_path / "missing" / "flagcast.yaml")


def test_a_template_that_is_no_template_is_reported_and_the_rest_is_written(run: Run) -> None:
    code, written, said = run(EVERYTHING.replace("{{ toJson .Type }}", "{{ toYaml .Type }}"), FROM="flipt")
    assert code == 1
    assert "destinations.audit-example-com.body: body" in said
    assert list(read(written).destinations) == ["slack", "audit-example-com", "example-com"]


def test_what_flipt_does_with_a_redirect_and_flagcast_does_not_is_said(run: Run) -> None:
    # Go's client follows it, so an address that works for Flipt made dead letters here.
    _, _, said = run(SLACK)
    assert "Flipt follows redirects, Flagcast does not" in said
    assert "flagcast test NAME" in said
