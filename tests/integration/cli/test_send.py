"""`flagcast send`: what is sent, and what is said of a repeat."""

import io
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from flagcast_cli.console import CommandError
from flagcast_cli.local import kept
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer
from flagcast_cli.main import app
from tests.integration.cli.conftest import Run
from tests.support.command_line import flagcast

BODY = b'{"type": "flag", "action": "updated", "timestamp": "2026-01-02T03:04:05Z"}'


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "SENT", tmp_path / "sent.json")
    monkeypatch.setenv("FLAGCAST_WEBHOOK_URL", f"{receiver.url}/webhooks/flipt")
    monkeypatch.setenv("FLAGCAST_SIGNING_SECRET", "s3cret")


@pytest.fixture
def event(tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_bytes(BODY)
    return path


def test_an_event_that_was_accepted_before_is_said_to_be_a_repeat(
    run: Run, event: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    # It answered 200 and nothing arrived, without a word why.
    answers = [Answer(200, body=b'{"event_id":"evt_%d","deliveries":1}' % number) for number in (1, 1, 2)]
    receiver.script("/webhooks/flipt", answers)
    assert run("send", event) == 0
    assert capsys.readouterr().err == ""
    assert run("send", event) == 0
    said = capsys.readouterr().err
    assert said.startswith("Already accepted 0 s ago: nothing is delivered again.")
    assert "--again" in said
    assert run("send", event, "--again") == 0
    assert capsys.readouterr().err == ""
    first, second, third = (json.loads(each.body) for each in receiver.requests())
    assert first == second == json.loads(BODY)
    assert third == {**first, "timestamp": third["timestamp"]}
    assert third["timestamp"][:4] == time.strftime("%Y")


def test_an_answer_without_an_event_is_no_repeat(run: Run, event: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("send", event) == run("send", event) == 0
    assert capsys.readouterr().err == ""


def test_a_body_comes_from_standard_input_byte_for_byte(
    run: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(BODY)))
    assert run("send", "-") == 0
    assert [each.body for each in receiver.requests()] == [BODY]


def test_a_sample_is_a_flag_updated_unless_another_is_named(run: Run, receiver: Receiver) -> None:
    assert run("send") == run("send", "--type", "token", "--action", "deleted") == 0
    sent = [json.loads(each.body) for each in receiver.requests()]
    assert [(each["type"], each["action"]) for each in sent] == [("flag", "updated"), ("token", "deleted")]


def test_an_event_that_is_refused_comes_with_advice(
    run: Run, event: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.script("/webhooks/flipt", [Answer(400, body=b'{"error":"invalid_event"}')])
    assert run("send", event) == 1
    assert "not an event as Flipt sends it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("EVENT", "--type", "flag"), "a file and --type or --action are two events"),
        (("EVENT", "--action", "deleted"), "a file and --type or --action are two events"),
        (("--again",), "--again is for a file"),
        (("--tpye",), "unknown option --tpye"),
        (("none.json",), "none.json: No such file"),
        (("--secret", " "), "no signing secret is given"),
        (("--url", "flagcast"), "flagcast is not an address"),
        (("--type", "flog"), "there is no sample of flog updated"),
    ],
)
def test_what_cannot_be_sent_is_one_sentence(run: Run, event: Path, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("send", *(str(event) if each == "EVENT" else each for each in words))


def test_a_body_that_is_no_json_cannot_be_given_another_time(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("[1, 2", encoding="utf-8")
    with pytest.raises(CommandError, match="--again needs a JSON object"):
        run("send", tmp_path / "text", "--again")


def test_without_an_address_it_is_said_where_to_get_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLAGCAST_WEBHOOK_URL")
    with pytest.raises(CommandError, match="no address to send to") as raised:
        run("send")
    assert "flagcast --local send" in raised.value.next_steps[0]


def test_a_file_that_is_missing_and_a_port_that_is_none_are_one_sentence_each(tmp_path: Path) -> None:
    missing = flagcast("dev", "--config", str(tmp_path))
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr.splitlines()[0] == f"error: {tmp_path}/flagcast.yaml: No such file"
    (tmp_path / "flagcast.yaml").write_text("sources: {\n", encoding="utf-8")
    unreadable = flagcast("dev", "--config", str(tmp_path))
    assert unreadable.returncode == 2
    assert unreadable.stderr.splitlines() == [
        f"error: {tmp_path}/flagcast.yaml:2:1: not YAML: did not find expected node content"
    ]
    port = flagcast("dev", "--port", "70000")
    assert port.returncode == 2
    assert 'Invalid value "70000" for --port. Must be <= 65535.' in port.stdout + port.stderr


def test_the_local_option_is_one_of_the_command_line_as_a_whole() -> None:
    assert "flagcast --local COMMAND" in flagcast("--help").stdout
    assert app.name == ("flagcast",)
