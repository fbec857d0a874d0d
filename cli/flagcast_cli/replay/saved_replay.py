"""What a replay is about and how far it is, kept on this machine until all of it is sent, so that it can be resumed."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct
from platformdirs import user_state_path

from flagcast.config.model import Ordering
from flagcast.events.replay import Replay
from flagcast_cli.console import CommandError
from flagcast_cli.replay.kept_event import KeptIn, NotReplayable

VERSION: Final = 1


class SavedReplay(Struct, frozen=True):
    """A replay: everything that its messages depend on, so that a resumed one sends the same ones.

    `queue` is the task queue's URL, which no other stack has; `refs` is where each event is kept, in the order in which
    they are sent; `rate` is events a second.
    """

    v: Literal[1]
    replay: Replay
    queue: str
    destination: str
    ordering: Ordering
    kept_in: KeptIn
    refs: tuple[str, ...]
    rate: float


class Progress(Struct, frozen=True):
    """How many events of a replay are settled, and which of them could not be read and are not sent."""

    position: int = 0
    missing: tuple[NotReplayable, ...] = ()


class ReplayFile:
    """The file of one replay, and beside it how far it is; one command at a time has it."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self._path = path
        self._sent = path.with_suffix(".sent")

    def save(self, saved: SavedReplay) -> None:
        """Save a replay of which nothing is sent."""
        _replace(self._path, msgspec.json.encode(saved))

    def read(self) -> SavedReplay:
        """Read what was saved; raises CommandError."""
        return _read(self._path, SavedReplay)

    @property
    def progress(self) -> Progress:
        """Return how far it is known to be; raises CommandError."""
        return _read(self._sent, Progress) if self._sent.exists() else Progress()

    def advance(self, position: int, missing: Sequence[NotReplayable]) -> None:
        """Remember how far it is, on disk when it returns: what is sent again later would come out of order."""
        _replace(self._sent, msgspec.json.encode(Progress(position, tuple(missing))))

    def remove(self) -> None:
        """Forget the replay, all of which is sent."""
        for each in (self._sent, self._path):
            each.unlink(missing_ok=True)


@contextmanager
def opened(name: str, *, is_new: bool) -> Iterator[ReplayFile]:
    """Open the file of a replay for this command alone; raises CommandError where there is none, or another has it."""
    path = folder() / f"{name}.json"
    if not is_new and name not in unfinished():
        there = ", ".join(unfinished()) or "none"
        raise CommandError(f"there is no replay {name} to resume on this machine", f"There are: {there}.")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise CommandError(
            f"{path}: {error.strerror}", "Set XDG_STATE_HOME to a folder that you can write to."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise CommandError(f"another command is sending {name}", "Wait until it ends, or stop it.") from error
    try:
        yield ReplayFile(path)
    finally:
        if not path.exists():
            path.with_suffix(".lock").unlink(missing_ok=True)
        os.close(lock)


def unfinished() -> list[str]:
    """Return the ids of the replays that can be resumed."""
    return sorted(each.stem for each in folder().glob("rpl_*.json"))


def folder() -> Path:
    """Return where replays are saved: XDG_STATE_HOME, else what is usual on this system."""
    return user_state_path("flagcast") / "replays"


def _read[T](path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise CommandError(
            f"{path} cannot be read: {error}", "Delete it, and start the replay again from the beginning."
        ) from error


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, for its owner alone."""
    new = path.with_name(f"{path.name}.new")
    handle = os.open(new, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        new.write_bytes(data)
        os.fsync(handle)
    finally:
        os.close(handle)
    new.replace(path)
