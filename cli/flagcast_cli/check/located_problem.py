"""A problem at its place: file, line, column, and the line itself with its credentials masked."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml
from msgspec import Struct, structs

from flagcast.config.model import Problem
from flagcast.edges.runtime.configuration_file import TEMPLATES, read_text
from flagcast.errors import ConfigurationUnreadable
from flagcast.primitives.text_position import TextPosition
from flagcast_cli.check.credential_masking import shown_line
from flagcast_cli.check.value_positions import Span, ValuePositions


class Found(Struct, frozen=True):
    """One thing that is wrong; line and column from 1, 0 where it is the file as a whole."""

    file: str
    line: int
    column: int
    end: int
    path: str
    message: str
    hint: str
    is_warning: bool
    source: str | None = None
    fix: str = ""
    """The command that ends it, where one does."""


def located(config: Path, problems: Iterable[Problem]) -> list[Found]:
    """Return problems where they are in the file, or in its templates: in order, each mistake once."""
    source = _Source(config)
    made: dict[tuple[object, ...], Found] = {}
    for problem in problems:
        found = source.place(problem)
        # A template of several destinations is one mistake, as is an entry that an alias repeats.
        made.setdefault((found.file, found.line, found.column, problem.message, found.is_warning), found)
    return in_order(made.values())


def in_order(found: Iterable[Found]) -> list[Found]:
    """Sort by place; those of the file itself come before those of its templates."""
    listed = list(found)
    first = min((each.file for each in listed), key=lambda file: file.count("/"), default="")
    return sorted(listed, key=lambda each: (each.file != first, each.file, each.line, each.column, each.path))


class _Source:
    """The file and its templates, read for what is shown of them."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._texts: dict[Path, Sequence[str]] = {}
        self._places = ValuePositions({})
        try:
            text = read_text(config)
            self._texts[config] = text.splitlines()
            self._places = ValuePositions.of(text)
        except (OSError, ConfigurationUnreadable, yaml.YAMLError, RecursionError):
            pass  # What is wrong with the file as a whole is the problem that is told.

    def place(self, problem: Problem) -> Found:
        file, span, spot = self._config, Span(0, 0), problem.spot
        entry = self._places.find(problem.path)
        if spot is not None and not spot.name:
            span = Span(spot.line, spot.column, self._end(spot))
        elif spot is not None and (template := self._template(spot)) is not None:
            file, span = template, Span(spot.line or 1, spot.column or 1)
        elif entry is not None:
            # A mapping or list begins somewhere below its key.
            span = entry.key if problem.is_key or entry.text is None else entry.value
            if spot is not None and spot.line and entry.is_block:
                span = Span(entry.value.line + spot.line, spot.column or 1)
        places = self._places if file == self._config else ValuePositions({})
        line = self._line(file, span.line)
        return Found(
            shown_path(file), span.line, span.column, span.end, problem.path,
            problem.said.removeprefix(f"{self._config}: "), problem.hint,
            problem.is_warning, None if line is None else shown_line(span.line, line, places),
        )  # fmt: skip

    def _template(self, spot: TextPosition) -> Path | None:
        file = self._config.parent / TEMPLATES / spot.name
        return file if file.is_file() else None

    def _line(self, file: Path, number: int) -> str | None:
        if file not in self._texts:
            try:
                self._texts[file] = file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                self._texts[file] = []
        lines = self._texts[file]
        return lines[number - 1] if 0 < number <= len(lines) else None

    def _end(self, spot: TextPosition) -> int:
        entry = next((each for each in self._places.entries.values() if each.key.line == spot.line), None)
        return entry.key.end if entry is not None and entry.key.column == spot.column else 0


def shown_path(file: Path) -> str:
    """Return a path as people type it: from the folder that they are in."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)


def with_fix(found: Found, fix: str) -> Found:
    """Return a problem with the command that ends it."""
    return structs.replace(found, fix=fix)
