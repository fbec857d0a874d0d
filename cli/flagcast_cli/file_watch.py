"""Which files were saved: found by looking a few times a second, which works on every system and file system."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from flagcast.edges.runtime.configuration_file import TEMPLATES

PACE: Final = 0.25
"""Seconds from look to look."""

Seen = Mapping[Path, tuple[int, int]]
"""The files that there are, each with its time of modification in nanoseconds and its size."""


def saved(before: Seen, after: Seen) -> tuple[Path, ...]:
    """Return the files that were written, made or removed from one look to the next, by name. Pure."""
    return tuple(sorted(path for path in {*before, *after} if before.get(path) != after.get(path)))


def look(paths: Iterable[Path]) -> Seen:
    """Look at files, and at every file of folders; what is not there is left out, as a file is while it is replaced."""
    seen = {}
    for path in paths:
        for file in path.rglob("*") if path.is_dir() else (path,):
            try:
                found = file.stat()
            except OSError:
                continue  # It is looked at again: an editor that saves may replace it.
            if file.is_file():
                seen[file] = (found.st_mtime_ns, found.st_size)
    return seen


def saves(before: Seen, look_now: Callable[[], Seen], wait: Callable[[], None]) -> Iterator[tuple[Path, ...]]:
    """Yield after each wait what was saved since the look before, which may be nothing."""
    while True:
        wait()
        after = look_now()
        yield saved(before, after)
        before = after


def read_for(config: Path) -> list[Path]:
    """Return the files and folders that a configuration is read from."""
    return [config, config.parent / TEMPLATES, *config.parent.glob("*.pem")]
