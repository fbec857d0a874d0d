import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from flagcast.events.flipt_signature import flipt_signature
from flagcast_cli.checkout import SAMPLES
from flagcast_cli.console import CommandError
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Action, Answer, Hang, Reset
from flagcast_cli.preview import live_trial
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.deployed import Deployed
from tests.integration.cli.conftest import Run
from tests.support.command_line import flagcast
from tests.support.iam.denied import deny

Configured = Callable[[str], Path]


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FLAGCAST_VAR_TOKEN", "canary-token")
    return "canary-token"


def destination(receiver: Receiver, more: str = "") -> str:
    return f"""
    url: {receiver.url}/in
    allow_http: true
    allow_private: [127.0.0.0/8]
    headers: {{Authorization: "Bearer ${{env:FLAGCAST_VAR_TOKEN}}"}}
    {more}
"""


def test_one_marked_event_is_sent_to_that_destination(
    configured: Configured, run: Run, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.script("/in", [Answer(200, body=b"thank you, canary-token")])
    sign = "sign: {scheme: flipt, secret: '${env:FLAGCAST_VAR_TOKEN}'}"
    assert run("test", "d", "--config", configured(destination(receiver, sign))) == 0
    (received,) = receiver.requests()
    headers = dict(received.headers)
    assert headers["Authorization"] == "Bearer canary-token"
    assert headers["X-Flipt-Webhook-Signature"] == flipt_signature(received.body, "canary-token")
    event = json.loads(received.body)
    assert (event["type"], event["action"], event["payload"]["key"]) == ("flag", "updated", "flagcast-test")
    printed = capsys.readouterr().out
    assert f"POST {receiver.url}/in" in printed
    assert "200 thank you, ***" in printed
    assert "canary-token" not in printed


def test_a_destination_that_wants_only_denied_events_is_sent_one(
    configured: Configured, run: Run, receiver: Receiver
) -> None:
    assert run("test", "d", "--config", configured(destination(receiver, "when: event.is_denied"))) == 0
    (received,) = receiver.requests()
    assert json.loads(received.body)["status"] == "denied"


def test_a_destination_that_wants_none_of_the_tests_is_sent_none(
    configured: Configured, run: Run, receiver: Receiver
) -> None:
    with pytest.raises(CommandError, match="reject every test event"):
        run("test", "d", "--config", configured(destination(receiver, 'events: ["token:*"]')))
    assert receiver.requests() == []


def test_a_sample_or_a_file_is_sent_as_it_is_if_it_is_named(
    configured: Configured, run: Run, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "event.json").write_text('{"type": "flag", "action": "updated"}', encoding="utf-8")
    config = configured(destination(receiver, 'events: ["token:*", "flag:*"]'))
    assert run("test", "d", "--event", "token-deleted", "--config", config) == 0
    assert run("test", "d", "--event", tmp_path / "event.json", "--config", config) == 0
    sample, file = receiver.requests()
    assert sample.body == (SAMPLES / "token-deleted.json").read_bytes()
    assert file.body == b'{"type": "flag", "action": "updated"}'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('events: ["token:*"]', "`events` rejects this event: nothing was sent"),
        ("when: event.is_denied", "`when` rejects this event: nothing was sent"),
        ("when: event.payload.nope.x == 1", "when"),
    ],
)
def test_a_named_event_that_the_destination_rejects_is_not_sent(
    configured: Configured, run: Run, receiver: Receiver, more: str, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        run("test", "d", "--event", "flag-updated", "--config", configured(destination(receiver, more)))
    assert receiver.requests() == []


def test_a_notice_is_sent_as_the_destination_that_notify_names_gets_it(
    configured: Configured, run: Run, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configured(destination(receiver, 'events: ["token:*"]'))
    assert run("test", "d", "--notice", "--config", config) == 0
    assert "notify does not name d" in capsys.readouterr().err
    config.write_text(f"notify: d\n{config.read_text(encoding='utf-8')}", encoding="utf-8")
    assert run("test", "d", "--notice", "--config", config) == 0
    assert capsys.readouterr().err == ""
    sent = [json.loads(each.body) for each in receiver.requests()]
    assert [(each["type"], each["action"]) for each in sent] == [("flagcast", "trouble")] * 2


def test_an_event_and_a_notice_are_not_both_sent(configured: Configured, run: Run, receiver: Receiver) -> None:
    with pytest.raises(CommandError, match="two events"):
        run("test", "d", "--event", "flag-updated", "--notice", "--config", configured(destination(receiver)))


@pytest.mark.parametrize(
    ("action", "heading", "advice"),
    [
        (Answer(401, body=b"who are you"), "401 who are you", "credentials"),
        (Answer(404), "404", "nothing at that address"),
        (Answer(302), "302", "redirects"),
        (Answer(500), "500", "in trouble itself"),
        (Answer(418), "418", "It refused."),
        (Reset(), "no answer", "did not answer as HTTP does"),
        (Hang(), "no answer", "within the destination's timeout"),
    ],
)
def test_a_refusal_comes_with_advice(
    configured: Configured,
    run: Run,
    receiver: Receiver,
    capsys: pytest.CaptureFixture[str],
    action: Action,
    heading: str,
    advice: str,
) -> None:
    receiver.script("/in", [action])
    more = "timeout: 500ms" if isinstance(action, Hang) else ""
    assert run("test", "d", "--config", configured(destination(receiver, more))) == 1
    printed = capsys.readouterr()
    assert any(line.startswith(heading) for line in printed.out.splitlines())
    assert advice in printed.err
    assert printed.err.endswith("Its dead letters: flagcast dlq list --destination d --stack flagcast\n")


def test_an_address_that_is_not_for_everyone_is_told_with_what_opens_it(
    configured: Configured, run: Run, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = destination(receiver).replace("127.0.0.0/8", "10.0.0.0/8")
    assert run("test", "d", "--config", configured(closed)) == 1
    printed = capsys.readouterr()
    assert "not sent an address in 127.0.0.0/8, loopback" in printed.out
    assert "allow_private" in printed.err
    assert receiver.requests() == []


def test_a_redirect_is_shown_with_where_it_points_and_without_what_its_query_holds(
    configured: Configured, run: Run, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    # A 302 told no one where to, so no one knew which address to write instead.
    to = "https://script.example.com/canary-token/echo?key=other-canary"
    receiver.script("/in", [Answer(302, {"Location": to}, b"moved")])
    assert run("test", "d", "--config", configured(destination(receiver))) == 1
    printed = capsys.readouterr()
    assert "302 Location: https://script.example.com/***/echo?key=*** moved" in printed.out
    assert "canary" not in printed.out.replace("flagcast-test", "")
    assert "address that it redirects to" in printed.err


def test_a_redirect_that_accept_holds_for_is_a_delivery(
    configured: Configured, run: Run, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.script("/in", [Answer(302, {"Location": "https://x.example.com/"})])
    accept = "accept: response.status == 302 and response.headers.location.startswith('https://x.')"
    assert run("test", "d", "--config", configured(destination(receiver, accept))) == 0
    assert "302 Location: https://x.example.com/" in capsys.readouterr().out


def test_an_answer_that_means_not_now_is_told_as_one_that_is_retried(
    configured: Configured, run: Run, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.script("/in", [Answer(200, body=b"busy")])
    when = "retry: {when: \"response.text == 'busy'\"}"
    assert run("test", "d", "--config", configured(destination(receiver, when))) == 1
    printed = capsys.readouterr()
    assert "200, not now busy" in printed.out
    assert "is retried" in printed.err


def test_an_answer_that_is_not_accepted_is_a_refusal(
    configured: Configured, run: Run, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.script("/in", [Answer(200, body=b'{"ok": false, "error": "channel_not_found"}')])
    assert run("test", "d", "--config", configured(destination(receiver, "accept: response.json.ok"))) == 1
    printed = capsys.readouterr()
    assert "200, not accepted" in printed.out
    assert "channel_not_found" in printed.out
    assert "accept does not hold" in printed.err


def test_a_secret_that_cannot_be_had_is_said_with_where_it_is_looked_for(
    configured: Configured, run: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLAGCAST_VAR_TOKEN")
    with pytest.raises(CommandError, match="FLAGCAST_VAR_TOKEN") as raised:
        run("test", "d", "--stack", "mine", "--config", configured(destination(receiver)))
    assert "stack mine" in raised.value.next_steps[0]
    assert receiver.requests() == []


def test_what_cannot_be_rendered_is_not_sent(configured: Configured, run: Run, receiver: Receiver) -> None:
    with pytest.raises(CommandError, match="'nope' is undefined"):
        run("test", "d", "--config", configured(destination(receiver, "body: '{{ nope }}'")))
    assert receiver.requests() == []


@pytest.mark.parametrize("parameters", [{}, {"SecretPrefix": "shared/"}])
def test_secrets_are_looked_up_where_the_deployed_stack_has_them(
    aws: None,
    configured: Configured,
    run: Run,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    parameters: dict[str, str],
) -> None:
    # The stack's SecretPrefix was ignored.
    monkeypatch.setattr(live_trial, "deployed", lambda client, account, stack: Deployed(parameters, {}))
    name = f"{parameters.get('SecretPrefix', 'flagcast/ours/')}token"
    boto3.client("secretsmanager").create_secret(Name=name, SecretString="canary")
    config = configured(destination(receiver).replace("${env:FLAGCAST_VAR_TOKEN}", "${secret:token}"))
    assert run("test", "d", "--config", config, "--stack", "ours") == 0
    (received,) = receiver.requests()
    assert dict(received.headers)["Authorization"] == "Bearer canary"
    boto3.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    with pytest.raises(CommandError, match=r"\$\{secret:token\}: ResourceNotFoundException") as raised:
        run("test", "d", "--config", config, "--stack", "ours")
    assert "flagcast check --stack ours" in raised.value.next_steps[0]


def test_an_answer_can_neither_move_the_cursor_nor_be_read_as_markup_nor_have_a_library_speak(
    configured: Configured, receiver: Receiver
) -> None:
    # Its escape sequences forged "200", and urllib3 wrote the address with its secret to standard error.
    body = "\x1b[2K\r[bold]200[/] ok \x9b31m\u202e".encode()
    receiver.script("/in", [Answer(500, {"no colon\r\nX": "1"}, body)])
    shown = flagcast("test", "d", "--config", str(configured(destination(receiver))), FLAGCAST_VAR_TOKEN="t0ken")
    assert shown.returncode == 1
    assert r"500 \u001b[2K\r[bold]200[/] ok \u009b31m\u202e" in shown.stdout
    assert shown.stderr.splitlines() == [
        "It is in trouble itself: try again later.",
        "Its dead letters: flagcast dlq list --destination d --stack flagcast",
    ]


def test_what_the_stack_answers_to_send_is_shown_and_not_obeyed(receiver: Receiver) -> None:
    receiver.script("/in", [Answer(404, body=b"\x1b]0;title\x07")])
    shown = flagcast("send", "--url", f"{receiver.url}/in", FLAGCAST_SIGNING_SECRET="s")
    assert shown.stdout == r"404 \u001b]0;title\u0007" + "\n"


@pytest.mark.parametrize("template", ['\'{"who": "{{ event.actor }}"}\'', "'{{ event.actor }}'"])
def test_what_an_event_brings_into_a_request_is_shown_and_not_obeyed(
    configured: Configured, tmp_path: Path, template: str
) -> None:
    # render passed ESC, U+009B and U+202E of an event into the headers and text bodies on the screen.
    event = tmp_path / "event.json"
    actor = {"authentication": "oidc", "name": "\x1b[2J\x9b\u202e"}
    event.write_text(json.dumps({"type": "flag", "action": "updated", "metadata": {"actor": actor}}))
    more = 'url: https://a.example\n    headers: {X-Who: "{{ event.actor }}"}\n'
    kind = "" if "who" in template else "    content_type: text/plain\n"
    config = configured(f"    {more}    body: {template}\n{kind}")
    shown = flagcast("render", "d", str(event), "--config", str(config))
    assert shown.stdout.count(r"\u009b\u202e") == 2
    assert all(each.isprintable() or each == "\n" for each in shown.stdout)


QUEUE = "arn:aws:sqs:us-east-2:123456789012:audit.fifo"


@pytest.fixture
def sqs(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """SQS of the region that the ARN names; what a test sends there is the operator's own affair, and in no list."""

    def clients(account: Account) -> Callable[[str], Any]:
        make: Any = account.session().client
        return lambda service: make(service)  # noqa: PLW0108 - as typed: a client by its service alone

    monkeypatch.setattr(Account, "clients", clients)
    return boto3.client("sqs", region_name="us-east-2")


def test_an_event_is_sent_to_an_aws_service_with_the_operators_login(
    configured: Configured, run: Run, sqs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url = sqs.create_queue(QueueName="audit.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    config = configured(f"    url: {QUEUE}\n    headers: {{X-Token: '${{env:FLAGCAST_VAR_TOKEN}}'}}\n")
    # The event is the same one: FIFO would take the second for a repeat of the first.
    assert [run("test", "d", "--config", config) for _ in range(2)] == [0, 0]
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])["Messages"]
    assert [each["MessageAttributes"]["X-Token"]["StringValue"] for each in received] == ["canary-token"] * 2
    printed = capsys.readouterr().out
    assert f"sqs:SendMessage {QUEUE}" in printed
    assert "200 MessageId: " in printed
    assert "canary-token" not in printed


def test_a_queue_that_is_not_there_is_told_with_what_to_look_at(
    configured: Configured, run: Run, sqs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("test", "d", "--config", configured(f"    url: {QUEUE}\n")) == 1
    said = capsys.readouterr()
    assert "410 AWS.SimpleQueueService.NonExistentQueue" in said.out
    assert "look at the ARN in the url" in said.err


def test_who_may_not_send_there_is_told_that_the_role_has_its_own_permission(
    configured: Configured, run: Run, sqs: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = boto3.Session(region_name="us-east-2")
    deny(session.events, "sqs")
    monkeypatch.setattr(Account, "session", lambda _: session)
    assert run("test", "d", "--config", configured(f"    url: {QUEUE}\n")) == 1
    said = capsys.readouterr()
    assert f"403 sqs:SendMessage on {QUEUE} is not allowed: AccessDenied" in said.out
    assert "TargetArns" in said.err
