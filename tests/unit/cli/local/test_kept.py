import os
from pathlib import Path

import pytest

from flagcast_cli.console import CommandError
from flagcast_cli.local import kept
from flagcast_cli.local.kept import Sent, earlier, local_variables, published, read, signing_secret, written

VARIABLES = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4570", "FLAGCAST_WEBHOOK_URL": "http://127.0.0.1:4570/a?b=c"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SECRET", "VARIABLES", "SENT"):
        monkeypatch.setattr(kept, name, tmp_path / name)
    return tmp_path


def test_the_secret_is_the_same_each_time_needs_no_quotes_and_is_its_owners_alone(folder: Path) -> None:
    secret = signing_secret()
    assert signing_secret() == secret
    assert len(secret) == 48
    assert secret.isascii()
    assert secret.isalnum()
    assert (folder / "SECRET").stat().st_mode & 0o777 == 0o600


def test_variables_are_read_back_as_they_were_written() -> None:
    assert written(VARIABLES).splitlines()[0] == "AWS_ENDPOINT_URL=http://127.0.0.1:4570"
    assert read(written(VARIABLES)) == VARIABLES


def test_a_local_command_has_the_stacks_variables_and_no_login_of_the_shell(folder: Path) -> None:
    (folder / "VARIABLES").write_text(written(VARIABLES), encoding="utf-8")
    shell = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "canary", "HOME": "/home/ada"}
    assert local_variables(shell) == {
        "HOME": "/home/ada", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **VARIABLES,
    }  # fmt: skip


def test_the_variables_are_there_while_the_stack_runs_and_those_of_a_later_one_stay(folder: Path) -> None:
    with published(VARIABLES):
        assert local_variables({})["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4570"
    assert not (folder / "VARIABLES").exists()
    later = {**VARIABLES, "AWS_ENDPOINT_URL": "http://127.0.0.1:4571"}
    with published(VARIABLES):
        kept.write_private(folder / "VARIABLES", written(later))
    assert local_variables({})["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4571"
    assert list(folder.iterdir()) == [folder / "VARIABLES"]


def test_without_a_local_stack_it_is_said_how_to_start_one() -> None:
    with pytest.raises(CommandError, match="no local stack is running") as raised:
        local_variables({})
    assert raised.value.next_steps == ("Start one in another terminal: make dev",)


def test_an_event_is_a_repeat_at_the_stack_that_accepted_it() -> None:
    sent = [Sent("http://a", "evt_1", 10), Sent("http://b", "evt_2", 20)]
    assert earlier(sent, "http://a", "evt_1") == sent[0]
    assert earlier(sent, "http://a", "evt_2") is None


def test_what_was_sent_is_kept_up_to_a_number_and_forgotten_for_a_stack_that_starts(folder: Path) -> None:
    kept.write_sent([Sent(f"http://{number % 2}", "evt", number) for number in range(1002)])
    assert [each.at for each in kept.read_sent()][:1] == [2]
    kept.forget_sent("http://0")
    assert {each.url for each in kept.read_sent()} == {"http://1"}
    (folder / "SENT").write_text("not JSON", encoding="utf-8")
    assert kept.read_sent() == []
