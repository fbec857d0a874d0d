"""What people see: colour where the terminal has it, errors with the next step to take.

Everything that is printed goes through here, as answers, events, names and errors come from elsewhere: what a terminal
obeys, or no one sees, is written as JSON escapes it, and nothing that is printed is read as markup.
"""

import json
import re
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

_UNSEEN = re.compile(r"[^\n\t]")


def plain(text: str) -> str:
    r"""Write what a terminal obeys, or no one sees, as JSON escapes it, a line break too: \u001b, \u202e, \n."""
    return text if text.isprintable() else "".join(_shown(each) for each in text)


def visible(text: str) -> str:
    """Write a text of several lines so: line breaks and tabs stay."""
    return text if text.isprintable() else _UNSEEN.sub(lambda found: _shown(found[0]), text)


def marked(markup: str, *values: object) -> Text:
    """Fill a text of ours, which has Rich's markup, with values that are shown as they are, each on one line."""
    return Text.from_markup(markup.format(*(escape(plain(str(each))) for each in values)), emoji=False)


def _shown(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say how many there are: 1 event, 2 events; `many` is the plural that does not end in s alone."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


class Screen(Console):
    """A console that shows foreign text as it is: no markup, no emoji codes, no escape sequences."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Write to standard output, or to standard error."""
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; a text is escaped before Rich drops some of its control characters without a word.

        Rich's own `input` asks for markup, which is never read.
        """
        shown = (visible(each) if isinstance(each, str) else each for each in objects)
        super().print(*shown, **{**options, "markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Escape whatever is in tables and the like; Rich's own control codes come in segments of their own."""
        for each in super().render(renderable, options):
            yield each if each.control else Segment(visible(each.text), each.style)

    def write(self, text: str) -> None:
        """Write text for machines: to a file or pipe as it is, to a terminal so that it can be seen."""
        self.file.write(visible(text) if self.file.isatty() else text)
        self.file.flush()

    def write_bytes(self, data: bytes) -> None:
        """Write bytes as they are to a file or pipe, and to a terminal so that they can be seen."""
        if self.file.isatty():
            self.write(data.decode(errors="replace") + "\n")
            return
        self.file.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


out = Screen()
err = Screen(stderr=True)


class CommandError(Exception):
    """Raised to end a command with a sentence, and the next step to take."""

    def __init__(self, message: str, *next_steps: str) -> None:
        """Keep what went wrong and what to do about it."""
        super().__init__(message)
        self.next_steps = next_steps


def show_error(error: CommandError) -> None:
    """Print an error and what to do about it."""
    err.print("error:", style="red", end=" ")
    err.print(str(error), soft_wrap=True)
    for step in error.next_steps:
        err.print(f"  {step}", soft_wrap=True)


def show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that no one expected; its message may hold anything. For `sys.excepthook`."""
    err.print("".join(traceback.format_exception(kind, error, trace)), soft_wrap=True, end="")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show that something is under way, and how long it took."""
    began = time.monotonic()
    with out.status(Text(what)):
        yield
    out.print(marked("[green]✓[/] {} [dim]{} s[/]", what, f"{time.monotonic() - began:.1f}"))
