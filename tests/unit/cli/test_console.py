"""What the command prints: foreign text is shown, and neither obeyed by the terminal nor read as markup."""

import ast
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.json import JSON
from rich.table import Table

from flagcast_cli import console
from flagcast_cli.console import CommandError, Screen, marked, plain, show_error, show_traceback

CLI = Path(console.__file__).parent
MODULES = {path.relative_to(CLI).as_posix(): ast.parse(path.read_text()) for path in sorted(CLI.rglob("*.py"))}
OTHERS = {name: tree for name, tree in MODULES.items() if name != "console.py"}

HOSTILE = {
    "\x1b[2K\r200 ok": r"\u001b[2K\r200 ok",
    "\x1b]52;c;Y2FuYXJ5\x07": r"\u001b]52;c;Y2FuYXJ5\u0007",
    "\x1b]8;;http://evil.example\x1b\\here": "\\u001b]8;;http://evil.example\\u001b\\here",
    "\x9b31mred": r"\u009b31mred",
    "user\u202etxt.exe": r"user\u202etxt.exe",
    "\u2066isolated\u2069\u200b\ufeff": r"\u2066isolated\u2069\u200b\ufeff",
    "\x08\x0b\x0c\x00\x7f\x85": r"\b\u000b\f\u0000\u007f\u0085",
    "\u2028\u2029\U000e0041\ud800": r"\u2028\u2029\udb40\udc41\ud800",
    "[red]not ours[/] [link=http://evil.example]here[/link] :warning: \\[x]": (
        "[red]not ours[/] [link=http://evil.example]here[/link] :warning: \\[x]"
    ),
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen() -> Screen:
    made = Screen()
    made.file = Terminal()
    return made


def shown(screen: Screen) -> str:
    file: Any = screen.file
    return str(file.getvalue())


def by_print(screen: Screen, text: str) -> None:
    screen.print(text, soft_wrap=True)


def by_style(screen: Screen, text: str) -> None:
    screen.print(text, style="not bold", soft_wrap=True)


def by_marked(screen: Screen, text: str) -> None:
    screen.print(marked("[not bold]{}[/] and more", text), soft_wrap=True)


def by_rule(screen: Screen, text: str) -> None:
    screen.rule(text, align="left")


def by_table(screen: Screen, text: str) -> None:
    table = Table(box=None)
    table.add_column("one", no_wrap=True, min_width=100)
    table.add_row(text)
    screen.print(table)


def by_write(screen: Screen, text: str) -> None:
    screen.write(text)


WAYS = (by_print, by_style, by_marked, by_rule, by_table, by_write)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_terminal_would_obey_or_hide_is_shown(screen: Screen, way: Any, text: str) -> None:
    # An answer's escape sequences forged a 200, wrote to the clipboard and made links; an event's turned text round.
    screen.width = 200
    way(screen, text)
    assert all(each.isprintable() or each == "\n" for each in shown(screen))
    # Rich drops these of its own accord where a text reaches it inside of a table or a rule.
    if not (way in (by_rule, by_table) and set(text) & set("\x07\x08\x0b\x0c\r")):
        assert HOSTILE[text] in shown(screen)


def test_a_question_is_shown_so_too(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    # "[y/N]" would be markup to Rich.
    monkeypatch.setattr("builtins.input", lambda: "y")
    assert screen.input("Send \x1b to it? [y/N] ") == "y"
    assert shown(screen) == "Send \\u001b to it? [y/N] "


def test_a_json_body_is_shown_so_too(screen: Screen) -> None:
    screen.print(JSON('{"a": "\u202e\x9b", "b": "\\u001b"}', ensure_ascii=False), soft_wrap=True)
    assert r"\u202e\u009b" in shown(screen)
    assert r"\u001b" in shown(screen)


def test_lines_and_tabs_stay_but_in_what_belongs_on_one_line(screen: Screen) -> None:
    screen.print("one\n\ttwo", soft_wrap=True)
    assert shown(screen).startswith("one\n")
    assert plain("one\n\ttwo é✓") == r"one\n\ttwo é✓"


def test_what_is_written_into_a_pipe_is_as_it_is(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    # A secret with U+00A0 in it goes into the command that stores it, whatever colours are forced.
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen.file = io.StringIO()
    screen.write("a\u00a0b\x1b")
    assert shown(screen) == "a\u00a0b\x1b"


def test_an_error_and_its_traceback_are_shown_so_too(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "err", screen)
    show_error(CommandError("no \x1b[2J", "try \u202e"))
    error = ValueError("[bold]\x9b")
    show_traceback(ValueError, error, None)
    assert shown(screen) == "error: no \\u001b[2J\n  try \\u202e\nValueError: [bold]\\u009b\n"


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("module", OTHERS)
def test_everything_that_is_printed_goes_through_the_one_printer(module: str) -> None:
    imported = {
        each
        for node in ast.walk(OTHERS[module])
        if isinstance(node, ast.ImportFrom | ast.Import)
        for each in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported & {"rich", "rich.console", "rich.markup", "rich.live", "rich.prompt", "logging"} == set()
    assert {ast.unparse(node) for node in ast.walk(OTHERS[module])} & {"sys.stdout", "sys.stderr"} == set()
    for call in calls(OTHERS[module]):
        match call.func:
            case ast.Name(name):
                assert name not in ("print", "pprint"), call.lineno
            case ast.Attribute(ast.Name(owner), "print" | "rule" | "status" | "input" | "write"):
                assert owner in {"out", "err", *WRITES_FILES.get(module, set())}, call.lineno
            case ast.Attribute(ast.Attribute(attr="file"), "write"):
                pytest.fail(f"line {call.lineno} writes past the printer")
        assert {each.arg for each in call.keywords} & {"markup", "emoji", "highlight"} == set(), call.lineno


WRITES_FILES = {"flipt_import/command.py": {"file"}, "flipt_state/learn.py": {"rows"}}


@pytest.mark.parametrize("module", OTHERS)
def test_markup_is_our_own_text_alone(module: str) -> None:
    for call in calls(OTHERS[module]):
        if isinstance(call.func, ast.Name) and call.func.id == "marked":
            # A literal, or a name for one; a value comes beside it.
            assert isinstance(call.args[0], ast.Constant | ast.Subscript), f"{module}:{call.lineno}"
        for each in call.args if isinstance(call.func, ast.Attribute) and call.func.attr == "print" else ():
            # It would be shown as it is.
            assert not (isinstance(each, ast.Constant | ast.JoinedStr) and "[/]" in ast.unparse(each)), call.lineno
