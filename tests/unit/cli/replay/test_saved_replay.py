"""What is kept of a replay until all of it is sent."""

import stat
from pathlib import Path

import pytest

from flagcast.events.replay import Replay
from flagcast_cli.console import CommandError
from flagcast_cli.replay.kept_event import NotReplayable
from flagcast_cli.replay.output import Report
from flagcast_cli.replay.saved_replay import Progress, SavedReplay, folder, opened, unfinished
from tests.support.template import ROOT

SAVED = SavedReplay(
    v=1, replay=Replay("rpl_1", "2026-11-27T06:00:00.000Z"), queue="https://q", destination="later", ordering="subject",
    kept_in="archive", refs=("a", "b"), rate=10.0,
)  # fmt: skip
GONE = NotReplayable("a", "it is not in the archive any more")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_it_is_read_as_it_was_written_and_knows_how_far_it_is() -> None:
    with opened("rpl_1", is_new=True) as file:
        file.save(SAVED)
        assert file.progress == Progress()
        file.advance(1, [GONE])
    assert unfinished() == ["rpl_1"]
    with opened("rpl_1", is_new=False) as file:
        assert (file.read(), file.progress) == (SAVED, Progress(1, (GONE,)))
        file.remove()
    assert (unfinished(), list(folder().iterdir())) == ([], [])


def test_no_one_but_its_owner_can_read_it() -> None:
    with opened("rpl_1", is_new=True) as file:
        file.save(SAVED)
        file.advance(1, [])
        modes = {stat.S_IMODE(each.stat().st_mode) for each in folder().iterdir()}
    assert (modes, stat.S_IMODE(folder().stat().st_mode)) == ({0o600}, 0o700)


def test_two_commands_never_send_one_replay() -> None:
    with opened("rpl_1", is_new=True) as file:
        file.save(SAVED)
        with pytest.raises(CommandError, match="another command is sending rpl_1"), opened("rpl_1", is_new=False):
            pass
        with opened("rpl_2", is_new=True):
            pass


@pytest.mark.parametrize("name", ["rpl_9", "../../etc/passwd"])
def test_one_that_is_not_there_is_said_with_those_that_are(name: str) -> None:
    with opened("rpl_1", is_new=True) as file:
        file.save(SAVED)
    with pytest.raises(CommandError) as raised, opened(name, is_new=False):
        pass
    assert raised.value.next_steps == ("There are: rpl_1.",)


def test_a_file_that_cannot_be_read_is_said() -> None:
    with opened("rpl_1", is_new=True) as file:
        file.save(SAVED)
    (folder() / "rpl_1.json").write_text("{")
    with opened("rpl_1", is_new=False) as file, pytest.raises(CommandError, match="cannot be read"):
        file.read()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(CommandError, match="Not a directory") as raised, opened("rpl_1", is_new=True):
        pass
    assert raised.value.next_steps == ("Set XDG_STATE_HOME to a folder that you can write to.",)


def test_the_page_names_every_field_of_the_answer_for_programs() -> None:
    page = (ROOT / "docs/replay.md").read_text(encoding="utf-8").partition("## For programs")[2]
    assert [each for each in Report.__struct_fields__ if f"`{each}`" not in page] == []
