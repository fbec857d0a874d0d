"""The ledger's file: SQLite, which only its owner can read, and which may be thrown away at any time."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from flagcast_cli.console import CommandError
from flagcast_cli.ledger.schema import STATEMENTS, VERSION
from flagcast_cli.ledger.store import Store

PATIENCE: Final = 60.0
"""Seconds to wait for another command that writes: it writes a page at a time, within a second."""
_RUINED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CODE: Final = 0xFF
"""Bits of an extended result code that hold the code: https://www.sqlite.org/rescode.html"""


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open a ledger, made new where there is none that can be read; raises CommandError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _one_at_a_time(path.parent):
            _create_file(path)
    except OSError as error:
        raise CommandError(
            f"{path}: {error.strerror}", "Set XDG_CACHE_HOME to a folder that you can write to."
        ) from error
    try:
        with closing(_opened(path)) as connection:
            yield Store(connection)
    except sqlite3.DatabaseError as error:
        if is_ruined(error):
            remove(path)
            raise Damaged(
                f"{path} was damaged and has been deleted", "Run the command again: it copies the log."
            ) from error
        raise CommandError(
            f"{path}: {error}", "Run the command again when no other flagcast command is running."
        ) from error


@contextmanager
def in_memory() -> Iterator[Store]:
    """Open an empty ledger of this process alone."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _with_tables(connection)
        yield Store(connection)


class Damaged(CommandError):
    """Raised where a ledger turns out to be damaged while it is used; its file is deleted."""


def _opened(path: Path) -> sqlite3.Connection:
    with _one_at_a_time(path.parent):
        try:
            return _connected(path)
        except sqlite3.DatabaseError as error:
            if not is_ruined(error):
                raise
            remove(path)
            _create_file(path)
            return _connected(path)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other command opens a ledger here: SQLite does not wait for a change to WAL, it fails.

    https://www.sqlite.org/c3ref/busy_handler.html. The folder is locked, so that no file of locks is left behind.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def remove(path: Path) -> None:
    """Delete a ledger's file, and what SQLite keeps beside it."""
    for each in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
        each.unlink(missing_ok=True)


def is_ruined(error: sqlite3.Error) -> bool:
    """Return whether a file is damaged, or no ledger at all."""
    return (error.sqlite_errorcode & _CODE) in _RUINED


def _create_file(path: Path) -> None:
    """Make the file before SQLite does, for its owner alone; what SQLite puts beside it has the same mode.

    One that is there is not opened: closing it would drop the locks that another connection of this process has.
    https://www.sqlite.org/howtocorrupt.html, 2.2
    """
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        # https://www.sqlite.org/wal.html: who reads does not wait for who writes.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _with_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _with_tables(connection: sqlite3.Connection) -> None:
    """Make the tables in place of those of another version; two commands that do so wait for each other."""
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if _version(connection) == VERSION:
            return
        there = connection.execute(
            "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND type != 'index'"
        )
        for kind, name in sorted(there.fetchall(), reverse=True):
            if not name.startswith("sqlite_"):
                connection.execute(f'DROP {kind} IF EXISTS "{name}"')
        for statement in STATEMENTS:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
