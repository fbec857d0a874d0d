"""docs/reference.md has every command as it is."""

from scripts.command_reference import PAGE, reference


def test_the_reference_is_what_help_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "python -m scripts.command_reference"
