from io import StringIO

from rich.console import Console

from flagcast_cli.local.report import Delivery, delivery_table, said_of_changes
from tests.presets.rendered import changed, message, sample


def shown(changes: dict[str, list[str]]) -> str:
    console = Console(width=100, file=StringIO())
    table = delivery_table(
        ["flag created", "flag updated"], ["chat"], {("flag updated", "chat"): Delivery(1, 200)}, changes
    )
    console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_table_shows_what_an_event_changed_below_it() -> None:
    event = changed("flag-created", "flag-updated")
    text = shown({"flag updated": said_of_changes(message("slack", event))})
    lines = [line.strip("│ ").split("│")[0].rstrip() for line in text.splitlines()]
    at = lines.index("flag updated")
    assert lines[at + 1 : at + 3] == ["Enabled: no → yes", "Description: one page checkout → one page checkout, A/B"]
    assert lines[at - 1] == "flag created"


def test_an_event_of_which_nothing_is_known_shows_itself_alone() -> None:
    assert said_of_changes(message("slack", sample("flag-updated"))) == []


def test_a_name_that_is_markup_stays_text() -> None:
    assert "Name: a → [red]b[/]" in shown({"flag updated": ["Name: a → [red]b[/]"]})
